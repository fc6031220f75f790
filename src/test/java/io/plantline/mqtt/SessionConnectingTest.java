package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a session begins. */
class SessionConnectingTest extends SessionTest {
    @Test
    void asksForAPersistentSessionWithMqtt5() {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            Connection connection = broker.welcome(false);
            byte[] connect = connection.connect().body();
            assertThat(connection.version()).isEqualTo(5);
            assertThat(connect[7] & 0x02).as("clean start").isZero();
            // Properties: session expiry 3600, receive maximum 65535, maximum packet size 1 MiB.
            assertThat(Arrays.copyOfRange(connect, 10, 24))
                    .containsExactly(13, 17, 0, 0, 14, 16, 33, -1, -1, 39, 0, 16, 0, 0);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x84})
    void fallsBackTo311WhereTheBrokerRefuses5(int code) {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            Connection refused = broker.accept().readConnect();
            refused.send(Packet.connAck(5, false, code));
            Connection connection = broker.welcome(false);
            assertThat(connection.version()).isEqualTo(4);
            session.awaitState(State.SUBSCRIBED);
            assertThat(session.status().version()).isEqualTo(4);
        }
    }

    @Test
    void fallsBackTo311WhereTheBrokerAnswersInTheOlderForm() {
        try (SessionHarness session = SessionHarness.start(broker.port())) {
            broker.accept().readConnect().send(Packet.connAck(4, false, 1));
            assertThat(broker.welcome(false).version()).isEqualTo(4);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void triesTheNextAddressWhenOneNeverAnswers() {
        try (ScriptedBroker mute = ScriptedBroker.start()) {
            Options options = options();
            options.ports = new int[] {mute.port(), broker.port()};
            options.connectTimeout = Duration.ofMillis(200);
            try (SessionHarness session = SessionHarness.start(options)) {
                broker.welcome(false);
                session.awaitState(State.SUBSCRIBED);
            }
        }
    }

    @Test
    void doesNotFallBackWhereTheConfigurationInsists() {
        Options options = options();
        options.version = 5;
        try (SessionHarness session = SessionHarness.start(options)) {
            broker.accept().readConnect().send(Packet.connAck(5, false, 0x84));
            assertThat(broker.accept().readConnect().version()).isEqualTo(5);
            assertThat(session.status().version()).isEqualTo(5);
        }
    }

    @Test
    void triesTheNextAddressWhenOneIsDown() {
        try (SessionHarness session = SessionHarness.start(io.plantline.testkit.Ports.free(), broker.port())) {
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            assertThat(session.status().address()).endsWith(":" + broker.port());
        }
    }

    @Test
    void givesUpOnABrokerThatNeverAnswers() {
        Options options = options();
        options.connectTimeout = Duration.ofMillis(200);
        try (SessionHarness session = SessionHarness.start(options)) {
            broker.accept().readConnect().expectClosed();
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void waitsForTheAnswerBehindALargeMessage() {
        Options options = options();
        options.connectTimeout = Duration.ofMillis(300);
        try (SessionHarness session = SessionHarness.start(options).safeAtOnce()) {
            Connection slow = broker.accept().connected(true);
            Packet subscribe = slow.expect(Packet.SUBSCRIBE);
            byte[] large = Packet.publish(5, "a/1", 1, 1, false, false, new byte[1_000])
                    .bytes();
            for (int at = 0; at < large.length; at += 50) {
                slow.sendBytes(java.util.Arrays.copyOfRange(large, at, Math.min(large.length, at + 50)));
                LockSupport.parkNanos(50_000_000);
            }
            slow.send(Packet.subAck(5, subscribe.id(), slow.askedQos(subscribe)));
            session.awaitState(State.SUBSCRIBED);
            slow.expectAck(Packet.PUBACK, 1);
            assertThat(session.status().counters().connects()).isEqualTo(1);
        }
    }

    @Test
    void givesUpOnABrokerThatNeverAnswersSubscribe() {
        Options options = options();
        options.connectTimeout = Duration.ofMillis(200);
        try (SessionHarness session = SessionHarness.start(options)) {
            Connection silent = broker.accept().connected(false);
            silent.expect(Packet.SUBSCRIBE);
            silent.expectClosed();
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void readsTheCredentialAgainAfterItWasRefused() {
        List<Boolean> refreshes = new ArrayList<>();
        Options options = options();
        options.credentials = refresh -> {
            refreshes.add(refresh);
            return Future.succeededFuture(Optional.empty());
        };
        try (SessionHarness session = SessionHarness.start(options)) {
            broker.accept().readConnect().send(Packet.connAck(5, false, 0x86));
            broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            assertThat(refreshes).containsExactly(false, true);
        }
    }

    @Test
    void sendsItsWill() {
        Options options = options();
        options.will = Optional.of(new SessionOptions.Will("plant/edge/state", "gone".getBytes(), 1, true));
        try (SessionHarness session = SessionHarness.start(options)) {
            Connection connection = broker.welcome(false);
            assertThat(connection.connect().body()[7] & 0x3C)
                    .as("will, QoS 1, retained")
                    .isEqualTo(0x2C);
            assertThat(new String(connection.connect().body()))
                    .contains("plant/edge/state")
                    .contains("gone");
            session.awaitState(State.SUBSCRIBED);
        }
    }
}
