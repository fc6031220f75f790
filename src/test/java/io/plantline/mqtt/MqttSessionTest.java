package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionHarness.Received;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The receive session against a broker that does what it is told. Fault numbers are those of docs/reliability.md. */
class MqttSessionTest {
    private ScriptedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = ScriptedBroker.start();
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    private Options options() {
        Options options = new Options();
        options.ports = new int[] {broker.port()};
        return options;
    }

    @Nested
    class Connecting {
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

    @Nested
    class Subscribing {
        @Test
        void subscribesAgainOnlyWhereTheBrokerHasForgotten() { // faults 1, 9
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
        void aRefusedSubscriptionIsAStateThatShows() { // fault 21
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

    @Nested
    class Acknowledging {
        @Test
        void waitsUntilTheMessageIsSafe() { // F2
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 10, false, "x");
                assertThat(session.next()).isEqualTo(new Received("a/1", 1, false, false, "x"));
                Promise<Void> read = session.nextRead();
                connection.expectSilence(100);
                read.complete();
                connection.expectAck(Packet.PUBACK, 10);
            }
        }

        @Test
        void sendsPubrecOnlyWhenTheMessageIsSafe() { // F1
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 10, false, "x");
                Promise<Void> read = session.nextRead();
                connection.expectSilence(100);
                read.complete();
                connection.expectAck(Packet.PUBREC, 10);
                connection.send(Packet.ack(Packet.PUBREL, 10));
                connection.expectAck(Packet.PUBCOMP, 10);
            }
        }

        @Test
        void keepsTheOrderOfReceiptWhateverIsSafeFirst() {
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x");
                Promise<Void> first = session.nextRead();
                connection.publish("a/1", 2, 2, false, "y");
                Promise<Void> second = session.nextRead();
                second.complete();
                connection.expectSilence(100);
                first.complete();
                connection.expectAck(Packet.PUBACK, 1);
                connection.expectAck(Packet.PUBREC, 2);
            }
        }

        @Test
        void neverAcknowledgesOnAnotherConnection() { // F3, fault 13
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 1, 1, false, "x");
                Promise<Void> read = session.nextRead();
                first.reset();
                Connection second = broker.accept().connected(false);
                second.grantSubscriptions();
                second.publish("a/1", 1, 1, false, "another message with the same identifier");
                session.nextRead();
                read.complete();
                second.expectSilence(150);
                assertThat(session.status().counters().staleAcknowledgements()).isEqualTo(1);
            }
        }

        @Test
        void answersAPubrelItDoesNotKnow() { // F1, fault 12
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.send(Packet.ack(Packet.PUBREL, 77));
                Packet complete = connection.expect(Packet.PUBCOMP);
                assertThat(complete.body()).containsExactly(0, 77, (byte) 0x92);
                assertThat(session.status().counters().unknownPubrel()).isEqualTo(1);
            }
        }

        @Test
        void answersAPubrelItDoesNotKnowIn311WithoutAReason() {
            Options options = options();
            options.version = 4;
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                connection.send(Packet.ack(Packet.PUBREL, 77));
                assertThat(connection.expect(Packet.PUBCOMP).body()).containsExactly(0, 77);
                session.awaitState(State.SUBSCRIBED);
            }
        }

        @Test
        void aConnectionIsGivenUpWhenMessagesCannotBeKept() {
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 10, false, "x");
                session.next();
                session.nextRead().fail("no space");
                connection.expectClosed();
                Connection again = broker.accept().connected(true);
                again.publish("a/1", 2, 10, true, "x");
                assertThat(session.next().redelivered()).isTrue();
                session.nextRead().complete();
                again.expectAck(Packet.PUBREC, 10);
            }
        }

        @Test
        void aMessageThatTheHandlerFailedOnIsNotAcknowledged() {
            try (SessionHarness session =
                    SessionHarness.start(broker.port()).safeAtOnce().failOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 10, false, "x");
                connection.expectClosed();
                Connection again = broker.accept().connected(true);
                again.publish("a/1", 2, 10, true, "x");
                again.expectAck(Packet.PUBREC, 10);
                assertThat(session.next().redelivered()).isTrue();
            }
        }

        @Test
        void aCopyOfAMessageThatCouldNotBeKeptDoesNotWedgeItsConnection() {
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                Promise<Void> read = session.nextRead();
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 5, true, "x");
                second.expectSilence(100);
                read.fail("no space");
                second.expectClosed();
                Connection third = broker.accept().connected(true);
                third.publish("a/1", 2, 5, true, "x");
                session.nextRead().complete();
                third.expectAck(Packet.PUBREC, 5);
            }
        }

        @Test
        void coalescesTheAcknowledgementsOfARead() {
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                java.io.ByteArrayOutputStream burst = new java.io.ByteArrayOutputStream();
                for (int id = 1; id <= 500; id++) {
                    burst.writeBytes(Packet.publish(5, "a/1", 1, id, false, false, new byte[20])
                            .bytes());
                }
                connection.sendBytes(burst.toByteArray());
                for (int id = 1; id <= 500; id++) {
                    connection.expectAck(Packet.PUBACK, id);
                }
                await().until(() -> session.pending() == 500);
            }
        }
    }

    @Nested
    class Redelivery {
        @Test
        void aQos2CopyOnANewConnectionIsNotHandedOnAgain() { // faults 10, 12
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                session.next();
                Promise<Void> read = session.nextRead();
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 5, true, "x");
                second.expectSilence(150);
                read.complete();
                second.expectAck(Packet.PUBREC, 5);
                assertThat(session.pending()).isZero();
                assertThat(session.status().counters().duplicatesSuppressed()).isEqualTo(1);
            }
        }

        @Test
        void aQos2CopyOfASafeMessageIsAcknowledgedAtOnce() {
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                first.expectAck(Packet.PUBREC, 5);
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 5, true, "x");
                second.expectAck(Packet.PUBREC, 5);
                session.next();
                assertThat(session.pending()).isZero();
            }
        }

        @Test
        void aQos2CopyOnTheSameConnectionIsNotHandedOnAgain() { // fault 11
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 5, false, "x").publish("a/1", 2, 5, true, "x");
                connection.expectAck(Packet.PUBREC, 5);
                connection.expectAck(Packet.PUBREC, 5);
                session.next();
                assertThat(session.pending()).isZero();
            }
        }

        @Test
        void anIdentifierThatComesAgainWithoutDupIsAnotherMessage() { // A broker that numbers anew when it sends again.
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                assertThat(session.next().payload()).isEqualTo("x");
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 5, false, "another");
                assertThat(session.next().payload()).isEqualTo("another");
                second.expectAck(Packet.PUBREC, 5);
            }
        }

        @Test
        void aCopyUnderAnotherIdentifierIsKnownByItsPayloadWherePayloadsAreUnique() {
            Options options = options();
            options.uniquePayloads = true;
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                session.next();
                Promise<Void> read = session.nextRead();
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 6, false, "x");
                second.expectSilence(150);
                read.complete();
                second.expectAck(Packet.PUBREC, 6);
                second.send(Packet.ack(Packet.PUBREL, 6));
                second.expectAck(Packet.PUBCOMP, 6);
                assertThat(session.pending()).isZero();
                assertThat(session.status().counters().duplicatesSuppressed()).isEqualTo(1);
                second.publish("a/1", 2, 7, false, "x");
                assertThat(session.next().payload())
                        .as("after PUBREL it is another message")
                        .isEqualTo("x");
            }
        }

        @Test
        void aMessageThatCouldNotBeKeptIsNotKnownByItsPayload() {
            Options options = options();
            options.uniquePayloads = true;
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                session.next();
                Promise<Void> read = session.nextRead();
                first.reset();
                Connection second = broker.accept().connected(true);
                second.publish("a/1", 2, 6, false, "x");
                second.expectSilence(150);
                read.fail("disk full");
                session.safeAtOnce();
                Connection third = broker.accept().connected(true);
                third.publish("a/1", 2, 7, false, "x");
                third.expectAck(Packet.PUBREC, 7);
                assertThat(session.next().payload()).isEqualTo("x");
            }
        }

        @Test
        void whereOnlyTheRetainFlagOrTheTopicDiffersItIsAnotherMessage() {
            Options options = options();
            options.uniquePayloads = true;
            try (SessionHarness session = SessionHarness.start(options).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 5, false, "x").publish("a/2", 2, 6, false, "x");
                connection.send(Packet.publish(5, "a/1", 2, 7, false, true, "x".getBytes(StandardCharsets.UTF_8)));
                connection.expectAck(Packet.PUBREC, 5);
                connection.expectAck(Packet.PUBREC, 6);
                connection.expectAck(Packet.PUBREC, 7);
                assertThat(session.pending()).isEqualTo(3);
            }
        }

        @Test
        void anIdentifierIsFreeAfterPubrel() {
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 2, 5, false, "x");
                connection.expectAck(Packet.PUBREC, 5);
                connection.send(Packet.ack(Packet.PUBREL, 5));
                connection.expectAck(Packet.PUBCOMP, 5);
                connection.publish("a/1", 2, 5, false, "y");
                connection.expectAck(Packet.PUBREC, 5);
                assertThat(session.next().payload()).isEqualTo("x");
                assertThat(session.next().payload()).isEqualTo("y");
            }
        }

        @Test
        void aForgottenSessionForgetsItsIdentifiers() {
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection first = broker.welcome(false);
                first.publish("a/1", 2, 5, false, "x");
                first.expectAck(Packet.PUBREC, 5);
                first.reset();
                Connection second = broker.accept().connected(false);
                second.grantSubscriptions();
                second.publish("a/1", 2, 5, false, "new");
                second.expectAck(Packet.PUBREC, 5);
                assertThat(session.next().payload()).isEqualTo("x");
                assertThat(session.next().payload()).isEqualTo("new");
            }
        }

        @Test
        void aQos1CopyIsHandedOnAgainBecauseDupProvesNothing() { // fault 10
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 5, true, "x");
                connection.expectAck(Packet.PUBACK, 5);
                assertThat(session.next().redelivered()).isTrue();
                assertThat(session.status().counters().redelivered()).isEqualTo(1);
            }
        }
    }

    @Nested
    class Liveness {
        @Test
        void aSilentPeerIsFoundWithinOneAndAHalfIntervals() { // fault 3
            Options options = options();
            options.keepAlive = Duration.ofSeconds(1);
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                session.awaitState(State.SUBSCRIBED);
                long start = System.nanoTime();
                await().atMost(Duration.ofSeconds(5))
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> session.status().state() != State.SUBSCRIBED);
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(1_900));
                assertThat(session.states().get(session.states().size() - 1).detail())
                        .containsAnyOf("silent", "connecting");
                connection.close();
            }
        }

        @Test
        void aQuietPeerThatAnswersPingsIsKept() {
            Options options = options();
            options.keepAlive = Duration.ofSeconds(1);
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                session.awaitState(State.SUBSCRIBED);
                for (int i = 0; i < 4; i++) {
                    Packet ping = connection.readRaw();
                    assertThat(ping.type()).isEqualTo(Packet.PINGREQ);
                    connection.send(Packet.pong());
                }
                assertThat(session.status().state()).isEqualTo(State.SUBSCRIBED);
                assertThat(session.status().counters().connects()).isEqualTo(1);
            }
        }

        @Test
        void pingsABrokerThatSendsAllTheTime() {
            Options options = options();
            options.keepAlive = Duration.ofSeconds(1);
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                long end = System.nanoTime() + 1_200_000_000L;
                int pings = 0;
                while (System.nanoTime() < end) {
                    connection.publish("a/1", 0, 0, false, "x");
                    pings += connection.hasPacketWithin(50)
                                    && connection.readRaw().type() == Packet.PINGREQ
                            ? 1
                            : 0;
                }
                assertThat(pings).isBetween(1, 4);
                assertThat(session.status().state()).isEqualTo(State.SUBSCRIBED);
            }
        }

        @Test
        void withheldAcknowledgementsDoNotEndTheConnection() { // F4, fault 5
            Options options = options();
            options.keepAlive = Duration.ofSeconds(1);
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x");
                Promise<Void> read = session.nextRead();
                for (int i = 0; i < 4; i++) {
                    assertThat(connection.readRaw().type()).isEqualTo(Packet.PINGREQ);
                    connection.send(Packet.pong());
                }
                read.complete();
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.status().counters().connects()).isEqualTo(1);
            }
        }

        @Test
        void takeoversEndInAStateThatShowsAndNotInAWar() { // fault 6
            Options options = options();
            try (SessionHarness session = SessionHarness.start(options)) {
                for (int i = 0; i < 3; i++) {
                    Connection connection = broker.accept().connected(i > 0);
                    if (i == 0) {
                        connection.grantSubscriptions();
                    }
                    connection.send(new Packet(Packet.DISCONNECT, 0, new byte[] {(byte) 0x8E, 0}));
                }
                await().until(() -> session.states().stream().anyMatch(s -> s.state() == State.TAKEN_OVER));
                assertThat(session.status().counters().takeovers()).isEqualTo(3);
            }
        }
    }

    @Nested
    class Pressure {
        @Test
        void tooMuchUnacknowledgedStopsTheReadingAndNothingElse() {
            Options options = options();
            options.maxUnacknowledged = 2_000;
            options.keepAlive = Duration.ofSeconds(1);
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x".repeat(600));
                Promise<Void> first = session.nextRead();
                connection.publish("a/1", 1, 2, false, "y".repeat(600));
                Promise<Void> second = session.nextRead();
                session.awaitState(State.PRESSURE);
                connection.publish("a/1", 1, 3, false, "z".repeat(600));
                for (int i = 0; i < 4; i++) {
                    assertThat(connection.readRaw().type())
                            .as("it goes on to ping")
                            .isEqualTo(Packet.PINGREQ);
                }
                assertThat(session.pending()).as("the third is not read").isEqualTo(2);
                first.complete();
                connection.expectAck(Packet.PUBACK, 1);
                second.complete();
                connection.expectAck(Packet.PUBACK, 2);
                session.awaitState(State.SUBSCRIBED);
                session.nextRead().complete();
                connection.expectAck(Packet.PUBACK, 3);
                assertThat(session.status().counters().connects()).isEqualTo(1);
            }
        }

        @Test
        void aBrokerThatIsTooBusyToReadOurAcknowledgementsIsNotLeft() {
            try (ScriptedBroker busy = ScriptedBroker.start(4_096)) {
                Options options = options();
                options.ports = new int[] {busy.port()};
                options.keepAlive = Duration.ofSeconds(1);
                try (SessionHarness session = SessionHarness.start(options).safeAtOnce()) {
                    Connection connection = busy.welcome(false);
                    int messages = 20_000;
                    for (int id = 1; id <= messages; id++) {
                        connection.publish("a/1", 1, id, false, "x");
                    }
                    // Three times what it takes to give up a peer that has vanished.
                    await().pollInterval(Duration.ofMillis(100))
                            .during(Duration.ofSeconds(4))
                            .until(() -> {
                                connection.publish("a/1", 0, 0, false, "alive");
                                return session.status().counters().connects() == 1;
                            });
                    for (int id = 1; id <= messages; id++) {
                        connection.expectAck(Packet.PUBACK, id);
                    }
                    assertThat(session.status().counters().connects()).isEqualTo(1);
                }
            }
        }

        @Test
        void aPeerThatTakesNothingWhileItIsNotReadIsLeft() {
            try (ScriptedBroker busy = ScriptedBroker.start(4_096)) {
                Options options = options();
                options.ports = new int[] {busy.port()};
                options.keepAlive = Duration.ofSeconds(1);
                options.maxUnacknowledged = 5_000_000;
                options.maxPacketSize = 8 << 20;
                try (SessionHarness session = SessionHarness.start(options)) {
                    Connection connection = busy.welcome(false);
                    int messages = 20_000;
                    for (int id = 1; id <= messages; id++) {
                        connection.publish("a/1", 1, id, false, "x");
                    }
                    await().until(() -> session.status().counters().received() == messages);
                    List<Promise<Void>> small = session.allReads();
                    connection.publish("a/1", 1, messages + 1, false, "x".repeat(4_500_000));
                    session.awaitState(State.PRESSURE);
                    small.forEach(Promise::complete);
                    busy.accept();
                }
            }
        }

        @Test
        void qos0BeyondTheBoundIsShedAndCounted() {
            Options options = options();
            options.maxUnacknowledged = 1_500;
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x".repeat(600));
                Promise<Void> read = session.nextRead();
                connection.publish("a/1", 0, 0, false, "y".repeat(600));
                await().until(() -> session.status().counters().qos0Shed() == 1);
                read.complete();
                connection.expectAck(Packet.PUBACK, 1);
            }
        }

        @Test
        void aBrokerThatOverrunsReceiveMaximumIsCountedAndKept() { // F9
            Options options = options();
            options.receiveMaximum = 2;
            try (SessionHarness session = SessionHarness.start(options)) {
                Connection connection = broker.welcome(false);
                for (int id = 1; id <= 5; id++) {
                    connection.publish("a/1", 1, id, false, "x");
                }
                await().until(() -> session.pending() == 5);
                assertThat(session.status().counters().receiveMaximumOverruns()).isEqualTo(3);
                assertThat(session.status().state()).isEqualTo(State.SUBSCRIBED);
            }
        }
    }

    @Nested
    class Malformed {
        @Test
        void anOversizeMessageIsSkippedAcknowledgedAndCounted() { // F5, fault 16
            Options options = options();
            options.maxPacketSize = 10_000;
            try (SessionHarness session = SessionHarness.start(options).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "before");
                connection.publish("a/big", 1, 2, false, "x".repeat(2_000_000));
                connection.publish("a/big", 2, 3, false, "x".repeat(20_000));
                connection.publish("a/1", 1, 4, false, "after");
                connection.expectAck(Packet.PUBACK, 1);
                connection.expectAck(Packet.PUBACK, 2);
                connection.expectAck(Packet.PUBREC, 3);
                connection.expectAck(Packet.PUBACK, 4);
                assertThat(session.next().payload()).isEqualTo("before");
                assertThat(session.next().payload()).isEqualTo("after");
                assertThat(session.status().counters().oversize()).isEqualTo(2);
                assertThat(session.status().counters().connects()).isEqualTo(1);
            }
        }

        @Test
        void aMessageOf20KbIsNoPoison() { // F5
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x".repeat(20_000));
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().payload()).hasSize(20_000);
            }
        }

        @Test
        void anEmptyPayloadIsAMessage() { // fault 17
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "");
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().payload()).isEmpty();
            }
        }

        @ParameterizedTest
        @ValueSource(strings = {"a", "a//b", "/", "$SYS/x", "a/\uFFFF", "a/ ü", "a/"})
        void oddTopicsDoNotWedge(String topic) { // fault 19
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish(topic, 1, 1, false, "x");
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().topic()).isEqualTo(topic);
            }
        }

        @Test
        void aTopicThatIsNotUtf8DoesNotWedge() { // fault 19
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.sendBytes(new byte[] {0x32, 8, 0, 3, 'a', '/', (byte) 0xFF, 0, 1, 0});
                connection.expectAck(Packet.PUBACK, 1);
                session.next();
            }
        }

        @Test
        void aLongTopicPasses() { // fault 19
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.publish("a/" + "t".repeat(65_533), 1, 1, false, "x");
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().topic()).hasSize(65_535);
            }
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "F0FFFFFFFF7F", // a reserved type with a length of five bytes
                    "3005000AABCDEF", // a topic longer than its packet
                    "3600", // QoS 3
                    "82020001", // SUBSCRIBE, which a broker does not send
                    "2002000000", // a second CONNACK
                    "32070003612F2B0001", // a wildcard in a topic name
                    "32080003612F00000100", // a null character in a topic name
                })
        void malformedPacketsEndTheConnectionAndNothingElse(String hex) { // fault 20
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                connection.sendBytes(java.util.HexFormat.of().parseHex(hex));
                connection.sendBytes(new byte[600]);
                connection.expectClosed();
                Connection again = broker.accept().connected(true);
                again.publish("a/1", 1, 1, false, "x");
                again.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().payload()).isEqualTo("x");
            }
        }

        @Test
        void aHugePacketThatIsNoMessageEndsTheConnectionAtOnce() { // fault 20
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                session.awaitState(State.SUBSCRIBED);
                // A message, and a SUBACK of 200 MB, of which only the beginning comes.
                byte[] message = Packet.publish(5, "a/1", 1, 1, false, false, new byte[1])
                        .bytes();
                connection.sendBytes(java.util.HexFormat.of()
                        .parseHex(java.util.HexFormat.of().formatHex(message) + "90808480600001"));
                connection.expectClosed();
                assertThat(session.next().payload()).as("it was whole").hasSize(1);
                broker.accept().connected(true);
                session.awaitState(State.SUBSCRIBED);
            }
        }

        @Test
        void packetsSplitAtEveryByteArriveWhole() { // fault 8
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                byte[] packet = Packet.publish(5, "a/1", 1, 1, false, false, new byte[130])
                        .bytes();
                for (byte b : packet) {
                    connection.sendBytes(new byte[] {b});
                }
                connection.expectAck(Packet.PUBACK, 1);
                assertThat(session.next().payload()).hasSize(130);
            }
        }

        @Test
        void aConnectionCutInsideAPacketHandsNothingOn() { // fault 8
            byte[] packet =
                    Packet.publish(5, "a/1", 1, 1, false, false, new byte[40]).bytes();
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                for (int length = 1; length < packet.length; length += 6) {
                    connection.sendBytes(Arrays.copyOf(packet, length));
                    connection.close();
                    connection = broker.accept().connected(true);
                }
                connection.sendBytes(packet);
                connection.expectAck(Packet.PUBACK, 1);
                session.next();
                assertThat(session.pending()).isZero();
            }
        }
    }

    @Nested
    class Stopping {
        @Test
        void endsASessionThatIsGivenUpWhenItIsSilent() {
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                Future<Void> retired = session.retire(Duration.ofMinutes(1));
                Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
                connection.send(Packet.unsubAck(5, unsubscribe.id()));
                Packet goodBye = connection.expect(Packet.DISCONNECT);
                assertThat(HexFormat.of().formatHex(goodBye.body()))
                        .as("session expiry 0")
                        .isEqualTo("00051100000000");
                connection.close();
                await().until(retired::succeeded);
            }
        }

        /** To end it would be to throw away what the broker still has. */
        @Test
        void leavesASessionToTheBrokerThatStillHasMessagesForIt() {
            try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
                Connection connection = broker.welcome(false);
                Future<Void> retired = session.retire(Duration.ofSeconds(3));
                Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
                connection.send(Packet.unsubAck(5, unsubscribe.id()));
                AtomicBoolean goOn = new AtomicBoolean(true);
                Thread publishing = new Thread(() -> {
                    for (int i = 1; goOn.get(); i++) {
                        connection.publish("a/1", 0, 0, false, "m" + i);
                        LockSupport.parkNanos(100_000_000);
                    }
                });
                publishing.start();
                assertThat(connection.expect(Packet.DISCONNECT).body())
                        .as("the session stays")
                        .isEmpty();
                goOn.set(false);
                connection.close();
                await().until(retired::succeeded);
            }
        }

        @Test
        void finishesWhatIsInFlightAndSaysGoodBye() {
            try (SessionHarness session = SessionHarness.start(broker.port())) {
                Connection connection = broker.welcome(false);
                connection.publish("a/1", 1, 1, false, "x");
                Promise<Void> read = session.nextRead();
                session.stopReading();
                session.awaitState(State.DRAINING);
                connection.publish("a/1", 1, 2, false, "too late");
                read.complete();
                connection.expectAck(Packet.PUBACK, 1);
                Thread stopping = new Thread(session::stop);
                stopping.start();
                assertThat(connection.expect(Packet.DISCONNECT).body()).isEmpty();
                connection.close();
                session.awaitState(State.CLOSED);
                assertThat(broker.waiting()).isZero();
                assertThat(session.next().payload()).isEqualTo("x");
                assertThat(session.pending()).isZero();
            }
        }
    }
}
