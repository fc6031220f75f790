package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is no MQTT, and what is at its edges. */
class SessionMalformedTest extends SessionTest {
    @Test
    void anOversizeMessageIsSkippedAcknowledgedAndCounted() {
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
    void aMessageOf20KbIsNoPoison() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            connection.publish("a/1", 1, 1, false, "x".repeat(20_000));
            connection.expectAck(Packet.PUBACK, 1);
            assertThat(session.next().payload()).hasSize(20_000);
        }
    }

    @Test
    void anEmptyPayloadIsAMessage() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            connection.publish("a/1", 1, 1, false, "");
            connection.expectAck(Packet.PUBACK, 1);
            assertThat(session.next().payload()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a//b", "/", "$SYS/x", "a/\uFFFF", "a/ ü", "a/"})
    void oddTopicsDoNotWedge(String topic) {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            connection.publish(topic, 1, 1, false, "x");
            connection.expectAck(Packet.PUBACK, 1);
            assertThat(session.next().topic()).isEqualTo(topic);
        }
    }

    @Test
    void aTopicThatIsNotUtf8DoesNotWedge() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            connection.sendBytes(new byte[] {0x32, 8, 0, 3, 'a', '/', (byte) 0xFF, 0, 1, 0});
            connection.expectAck(Packet.PUBACK, 1);
            session.next();
        }
    }

    @Test
    void aLongTopicPasses() {
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
    void malformedPacketsEndTheConnectionAndNothingElse(String hex) {
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
    void aHugePacketThatIsNoMessageEndsTheConnectionAtOnce() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            session.awaitState(State.SUBSCRIBED);
            // A message, and a SUBACK of 200 MB, of which only the beginning comes.
            byte[] message =
                    Packet.publish(5, "a/1", 1, 1, false, false, new byte[1]).bytes();
            connection.sendBytes(
                    java.util.HexFormat.of().parseHex(java.util.HexFormat.of().formatHex(message) + "90808480600001"));
            connection.expectClosed();
            assertThat(session.next().payload()).as("it was whole").hasSize(1);
            broker.accept().connected(true);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void packetsSplitAtEveryByteArriveWhole() {
        try (SessionHarness session = SessionHarness.start(broker.port()).safeAtOnce()) {
            Connection connection = broker.welcome(false);
            byte[] packet =
                    Packet.publish(5, "a/1", 1, 1, false, false, new byte[130]).bytes();
            for (byte b : packet) {
                connection.sendBytes(new byte[] {b});
            }
            connection.expectAck(Packet.PUBACK, 1);
            assertThat(session.next().payload()).hasSize(130);
        }
    }

    @Test
    void aConnectionCutInsideAPacketHandsNothingOn() {
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
