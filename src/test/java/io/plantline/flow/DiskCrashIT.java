package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** kill -9 under load with a data directory: nothing is missing in the lake, and QoS 2 is there once. */
class DiskCrashIT {
    private static final int TOPICS = 20;
    private static final int KILLS = Integer.getInteger("crash.kills", 5);
    private static final int RATE = 1_000;
    /** A file per message, each forced to disk. */
    private static final int SINGLE_RATE = 100;

    @TempDir
    private Path directory;

    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    @ParameterizedTest
    @CsvSource({
        "artemis, 1, batch",
        "artemis, 2, batch",
        "mosquitto, 1, batch",
        "mosquitto, 2, batch",
        "mosquitto, 2, single"
    })
    void nothingIsMissingAndQosTwoIsOnceInTheLake(String broker, int qos, String eventType) throws Exception {
        boolean single = eventType.equals("single");
        boolean artemis = broker.equals("artemis");
        if (!artemis) {
            Mosquitto.assumeInstalled();
        }
        Path lake = directory.resolve("lake");
        try (AutoCloseable source =
                artemis ? Artemis.start() : Mosquitto.start(directory, "max_inflight_messages 1000")) {
            int port = artemis ? ((Artemis) source).port() : ((Mosquitto) source).port();
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash", "unique-payloads": %s},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "file", "directory": "%s", "event-type": "%s", "batch": {"max-age": "100ms"},
                                 "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": %d, "target": "lake"}}}""".formatted(port, artemis, directory.resolve("data"), lake, eventType, qos);
            PlantlineProcess.Builder program = PlantlineProcess.in(directory).config(document);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            Load load = Load.start(port, TOPICS, qos, 200, single ? SINGLE_RATE : RATE);
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long before = files(lake);
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = program.start().awaitSubscribed();
                await().atMost(Duration.ofSeconds(20))
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> files(lake) > before);
            }
            assertThat(load.isRunning()).as("every kill happened under load").isTrue();
            int perTopic = load.stop();
            int count = perTopic * TOPICS;
            DistinctRows rows = DistinctRows.in(lake);
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> (single ? files(lake) : rows.count()) >= count);
            assertThat(plantline.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(lake, TOPICS, perTopic);
            System.out.println(
                    "disk, " + eventType + ", " + broker + ", QoS " + qos + ", " + KILLS + " kills: " + found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.altered()).isZero();
            // Artemis sends again under new identifiers, so there the payloads tell.
            if (qos == 2) {
                assertThat(found.duplicates()).isZero();
            }
            assertThat(plantline.log())
                    .containsPattern("ledger lake: accepted " + found.total() + " = delivered " + found.total()
                            + " \\+ filtered 0 \\+ dead-lettered 0 \\+ waiting 0");
        }
    }

    private static long files(Path lake) throws IOException {
        if (!Files.exists(lake)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(lake)) {
            return files.filter(file -> file.toString().endsWith(".parquet")).count();
        } catch (UncheckedIOException e) {
            return files(lake); // A file got its name while we looked.
        }
    }
}
