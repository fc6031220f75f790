package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.Load;
import io.plantline.testkit.PlantlineProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * kill -9 under load, memory mode: nothing that the broker had confirmed to the publisher is missing. The receive maximum
 * bounds what Artemis leaks at each kill; with the default it has no packet identifier left after eight (docs/brokers.md).
 */
class CrashIT {
    private static final int TOPICS = 20;
    private static final int KILLS = Integer.getInteger("crash.kills", 5);
    private static final int RATE = 1_000;

    @TempDir
    private Path directory;

    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void nothingConfirmedIsMissingAndTheStreamNeverWedges(int qos) throws Exception {
        try (Artemis source = Artemis.start();
                Artemis target = Artemis.start();
                Collector collector = new Collector(target.port(), "#", qos)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash", "receive-maximum": 1000},
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d, "qos": 1}},
                     "subscriptions": {"plant/#": {"qos": %d, "target": "other"}}}""".formatted(source.port(), target.port(), qos);
            PlantlineProcess.Builder program = PlantlineProcess.in(directory).config(document);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            Load load = Load.start(source.port(), TOPICS, qos, 200, RATE);
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long before = collector.tally().total();
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = program.start().awaitSubscribed();
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> collector.tally().total() > before);
            }
            assertThat(load.isRunning()).as("every kill happened under load").isTrue();
            int perTopic = load.stop();
            try {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> collector.tally().missing(TOPICS, perTopic).isEmpty());
            } finally {
                System.out.println("QoS " + qos + ", " + KILLS + " kills: " + collector.tally() + ", missing "
                        + collector.tally().missing(TOPICS, perTopic));
            }
            assertThat(collector.tally().altered()).isZero();
            assertThat(plantline.stop()).isIn(0, 143);
        }
    }
}
