package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a session subscribes to, and what it does when the broker refuses or forgets. */
class SessionSubscribingTest extends SessionTest {
    @Test
    void subscribesAgainOnlyWhereTheBrokerHasForgotten() {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            broker.welcome(false).reset();
            Connection resumed = broker.accept().connected(true);
            session.awaitState(State.SUBSCRIBED);
            resumed.expectSilence(150);
            resumed.reset();
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            assertThat(session.status().counters().sessionsLost()).isEqualTo(1);
        }
    }

    @Test
    void tellsOfASessionThatTheBrokerForgotWhileTheProcessWasAway() {
        Options options = options();
        options.filters = Set.of("a/#");
        try (SessionHarness session = SessionHarness.start(options)) {
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            assertThat(session.status().counters().sessionsLost()).isEqualTo(1);
        }
    }

    /** The broker has made it when it says that there was none. */
    @Test
    void aSessionThatCouldNotBeWrittenDownIsStillNewOnTheNextConnection() {
        Options options = options();
        options.sessionsThatCannotBeWritten = 1;
        try (SessionHarness session = SessionHarness.start(options)) {
            broker.accept().connected(false);
            broker.accept().connected(true).grantSubscriptions();
            session.awaitState(State.SUBSCRIBED);
            assertThat(session.newSessions).hasValue(2);
        }
    }

    @Test
    void subscribesAtTheStartEvenIfTheBrokerKnowsTheSession() {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            broker.accept().connected(true).grantSubscriptions();
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void aRefusedSubscriptionIsAStateThatShows() {
        Options options = options();
        options.subscriptions = List.of(Options.subscription("a/#", 2, 0), Options.subscription("b/#", 1, 0));
        try (SessionHarness session = SessionHarness.start(options)) {
            Connection connection = broker.accept().connected(false);
            Packet subscribe = connection.expect(Packet.SUBSCRIBE);
            connection.send(Packet.subAck(5, subscribe.id(), 1, 0x87));
            session.awaitState(State.DEGRADED);
            assertThat(session.status().degraded())
                    .containsExactly("a/#: granted QoS 1, asked 2", "b/#: refused, reason 0x87");

            Packet again = connection.expect(Packet.SUBSCRIBE);
            assertThat(new String(again.body(), StandardCharsets.UTF_8))
                    .contains("b/#")
                    .doesNotContain("a/#");
            connection.send(Packet.subAck(5, again.id(), 0x87));
            again = connection.expect(Packet.SUBSCRIBE);
            connection.send(Packet.subAck(5, again.id(), 1));
            await().until(() -> session.status().degraded().equals(List.of("a/#: granted QoS 1, asked 2")));
            connection.expectSilence(150);
        }
    }

    @Test
    void asksForRetainedMessagesOnlyOfNewSubscriptions() {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            Packet subscribe = broker.accept().connected(false).expect(Packet.SUBSCRIBE);
            int optionsByte = subscribe.body()[subscribe.body().length - 1];
            assertThat(optionsByte >> 4).as("retain handling").isEqualTo(1);
            assertThat(optionsByte & 3).isEqualTo(2);
            assertThat(session.status().state()).isEqualTo(State.CONNECTING);
        }
    }

    @Test
    void tellsOverlappingSubscriptionsApart() {
        Options options = options();
        options.subscriptions = List.of(Options.subscription("a/#", 1, 7), Options.subscription("a/+", 1, 8));
        try (SessionHarness session = SessionHarness.start(options)) {
            Connection connection = broker.accept().connected(false);
            for (int identifier : List.of(7, 8)) {
                Packet subscribe = connection.expect(Packet.SUBSCRIBE);
                assertThat(Arrays.copyOfRange(subscribe.body(), 2, 5)).containsExactly(2, 11, identifier);
                connection.send(Packet.subAck(5, subscribe.id(), 1));
            }
            session.awaitState(State.SUBSCRIBED);
        }
    }
}
