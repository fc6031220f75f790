package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** More than can be taken. */
class SessionPressureTest extends SessionTest {
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
                assertThat(connection.readRaw().type()).as("it goes on to ping").isEqualTo(Packet.PINGREQ);
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
    void aBrokerThatOverrunsReceiveMaximumIsCountedAndKept() {
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
