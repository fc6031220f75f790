package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Promise;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Peers that are silent, and others who take the session over. */
class SessionLivenessTest extends SessionTest {
    @Test
    void aSilentPeerIsFoundWithinOneAndAHalfIntervals() {
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
                pings += connection.hasPacketWithin(50) && connection.readRaw().type() == Packet.PINGREQ ? 1 : 0;
            }
            assertThat(pings).isBetween(1, 4);
            assertThat(session.status().state()).isEqualTo(State.SUBSCRIBED);
        }
    }

    @Test
    void withheldAcknowledgementsDoNotEndTheConnection() {
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
    void takeoversEndInAStateThatShowsAndNotInAWar() {
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
