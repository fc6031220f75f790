package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A session that is to be otherwise while it runs. */
class SessionChangeTest extends SessionTest {
    private Options options(SessionOptions.Subscription... subscriptions) {
        Options options = options();
        options.subscriptions = List.of(subscriptions);
        return options;
    }

    private static SessionOptions.Subscription subscription(String filter, int qos) {
        return Options.subscription(filter, qos, 0);
    }

    private static String text(Packet packet) {
        return new String(packet.body(), StandardCharsets.UTF_8);
    }

    @Test
    void subscribesWhatIsNewAndThenUnsubscribesWhatIsGone() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1), subscription("b", 1)))) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            Future<Void> changed = session.change(options(subscription("b", 2), subscription("c", 1)), false);
            Packet subscribe = connection.expect(Packet.SUBSCRIBE);
            assertThat(text(subscribe)).contains("b").contains("c").doesNotContain("a");
            assertThat(connection.askedQos(subscribe)).containsExactly(2, 1);
            connection.expectSilence(100);
            connection.send(Packet.subAck(5, subscribe.id(), 2, 1));
            Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
            assertThat(text(unsubscribe)).endsWith("a");
            assertThat(changed.isComplete()).isFalse();
            connection.send(Packet.unsubAck(5, unsubscribe.id()));
            await().until(changed::succeeded);
            connection.expectSilence(100);
        }
    }

    @Test
    void whatIsChangedBeforeTheBrokerHasAnsweredIsAskedForBeforeAnythingGoes() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1), subscription("b", 1)))) {
            Connection connection = broker.accept().connected(false);
            Packet first = connection.expect(Packet.SUBSCRIBE);
            Future<Void> changed = session.change(options(subscription("b", 1), subscription("c", 1)), false);
            session.awaitState(State.CONNECTING);
            connection.send(Packet.subAck(5, first.id(), 1, 1));
            Packet second = connection.expect(Packet.SUBSCRIBE);
            assertThat(text(second)).contains("c");
            connection.send(Packet.subAck(5, second.id(), 1));
            Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
            assertThat(text(unsubscribe)).endsWith("a");
            connection.send(Packet.unsubAck(5, unsubscribe.id()));
            await().until(changed::succeeded);
        }
    }

    @Test
    void whatIsTheSameIsNotAskedForAgain() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1)))) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            await().until(session.change(options(subscription("a", 1)), false)::succeeded);
            connection.expectSilence(100);
        }
    }

    @Test
    void aRefusalLeavesTheOldSubscriptionsAndTheChangeCanBeTakenBack() {
        Options before = options(subscription("a", 1));
        try (SessionHarness session = SessionHarness.start(before)) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            Future<Void> changed = session.change(options(subscription("b", 1), subscription("c", 1)), false);
            connection.send(Packet.subAck(5, connection.expect(Packet.SUBSCRIBE).id(), 1, 0x87));
            await().until(changed::failed);
            assertThat(changed.cause()).hasMessageContaining("c: refused, reason 0x87");
            connection.expectSilence(100);
            Future<Void> back = session.change(before, false);
            Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
            assertThat(text(unsubscribe)).endsWith("b");
            connection.send(Packet.unsubAck(5, unsubscribe.id()));
            await().until(back::succeeded);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void whatIsChangedWhileTheBrokerIsAwayIsAskedForWhenItIsBack() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1)))) {
            broker.welcome(false).reset();
            Connection connection = broker.accept();
            await().until(session.change(options(subscription("b", 1)), false)::succeeded);
            connection.connected(true).grantSubscriptions();
            Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
            assertThat(text(unsubscribe)).endsWith("a");
            connection.send(Packet.unsubAck(5, unsubscribe.id()));
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void aConnectionThatEndsInTheMiddleOfAChangeIsAskedForTheRestByTheNextOne() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1)))) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            Future<Void> changed = session.change(options(subscription("b", 1)), false);
            connection.grantSubscriptions();
            connection.expect(Packet.UNSUBSCRIBE);
            connection.reset();
            await().until(changed::succeeded);
            Packet again = broker.accept().connected(true).expect(Packet.UNSUBSCRIBE);
            assertThat(text(again)).endsWith("a");
        }
    }

    @Test
    void filtersThatAnEarlierStartHadAreTakenBack() {
        Options options = options(subscription("a", 1));
        options.filters = Set.of("a", "old");
        try (SessionHarness session = SessionHarness.start(options)) {
            Connection connection = broker.accept().connected(true).grantSubscriptions();
            Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
            assertThat(text(unsubscribe)).endsWith("old");
            connection.send(Packet.unsubAck(5, unsubscribe.id()));
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void anotherWayToConnectIsTriedBeforeTheOldConnectionIsGivenUp() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1)))) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            Options next = options(subscription("a", 1));
            next.keepAlive = Duration.ofSeconds(77);
            Future<Void> changed = session.change(next, true);
            broker.accept().expectClosed();
            connection.expect(Packet.DISCONNECT);
            connection.close();
            Connection other = broker.accept().connected(true);
            assertThat(other.connect().body()[9]).isEqualTo((byte) 77);
            await().until(changed::succeeded);
            other.expectSilence(100);
        }
    }

    @Test
    void aBrokerThatDoesNotAnswerIsNotMovedTo() {
        try (SessionHarness session = SessionHarness.start(options(subscription("a", 1)))) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            Options next = options(subscription("a", 1));
            next.ports = new int[] {io.plantline.testkit.Ports.free()};
            Future<Void> changed = session.change(next, true);
            await().until(changed::failed);
            connection.expectSilence(100);
            assertThat(session.status().state()).isEqualTo(State.SUBSCRIBED);
        }
    }
}
