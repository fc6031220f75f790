package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionHarness.Received;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Promise;
import org.junit.jupiter.api.Test;

/** When acknowledgements leave, on which connection and in which order. */
class SessionAcknowledgingTest extends SessionTest {
    @Test
    void waitsUntilTheMessageIsSafe() {
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
    void sendsPubrecOnlyWhenTheMessageIsSafe() {
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
    void neverAcknowledgesOnAnotherConnection() {
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
    void answersAPubrelItDoesNotKnow() {
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
