package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.Generator;
import io.vertx.core.Promise;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** More waits at the broker than fits into the window. */
class SessionFullWindowTest {
    private static final int MESSAGES = 10_000;

    /** Artemis looks at what waits when a PUBREC comes, and not when a PUBCOMP makes room. */
    @Test
    void whatWaitsArrivesThoughNothingNewComes() throws Exception {
        try (Artemis broker = Artemis.start()) {
            Options options = new Options();
            options.ports = new int[] {broker.port()};
            options.receiveMaximum = 20;
            try (SessionHarness session = SessionHarness.start(options)) {
                session.awaitState(State.SUBSCRIBED);
                session.stop();
            }
            new Generator(broker.port(), 1, t -> "a/1", 2, 50).publish(MESSAGES, 0, 500);
            try (SessionHarness session = SessionHarness.start(options)) {
                while (session.pending() < MESSAGES) {
                    Promise<Void> first = session.nextRead();
                    LockSupport.parkNanos(2_000_000); // As a target takes its time, the window fills.
                    first.complete();
                    session.allReads().forEach(Promise::complete);
                }
                assertThat(session.pending()).isEqualTo(MESSAGES);
            }
        }
    }
}
