package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Promise;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What the broker sends again. */
class SessionRedeliveryTest extends SessionTest {
    @Test
    void aQos2CopyOnANewConnectionIsNotHandedOnAgain() {
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
    void aQos2CopyOnTheSameConnectionIsNotHandedOnAgain() {
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
    void aQos1CopyIsHandedOnAgainBecauseDupProvesNothing() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            connection.publish("a/1", 1, 5, true, "x");
            connection.expectAck(Packet.PUBACK, 5);
            assertThat(session.next().redelivered()).isTrue();
            assertThat(session.status().counters().redelivered()).isEqualTo(1);
        }
    }
}
