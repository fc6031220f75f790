package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** How a session ends. */
class SessionStoppingTest extends SessionTest {
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
