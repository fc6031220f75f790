package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Generator;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Tally;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** kill -9 under load with a data directory: nothing is missing in the lake, and QoS 2 is there once. */
class DiskCrashIT {
    private static final int TOPICS = 20;
    private static final int KILLS = Integer.getInteger("crash.kills", 3);
    private static final int RATE = 1_000;

    @TempDir
    private Path directory;

    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    @ParameterizedTest
    @CsvSource({"artemis, 1", "artemis, 2", "mosquitto, 1", "mosquitto, 2"})
    void nothingIsMissingAndQosTwoIsOnceInTheLake(String broker, int qos) throws Exception {
        boolean artemis = broker.equals("artemis");
        if (!artemis) {
            Mosquitto.assumeInstalled();
        }
        Path lake = directory.resolve("lake");
        try (AutoCloseable source =
                artemis ? Artemis.start() : Mosquitto.start(directory, "max_inflight_messages 1000")) {
            int port = artemis ? ((Artemis) source).port() : ((Mosquitto) source).port();
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash"},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "file", "directory": "%s", "event-type": "batch", "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": %d, "target": "lake"}}}""".formatted(port, directory.resolve("data"), lake, qos);
            PlantlineProcess.Builder program = PlantlineProcess.in(directory).config(document);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            AtomicBoolean killing = new AtomicBoolean(true);
            CompletableFuture<Integer> load = CompletableFuture.supplyAsync(() ->
                    new Generator(port, TOPICS, t -> "plant/line" + t, qos, 200).publishWhile(killing::get, 500, RATE));
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long before = files(lake);
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = program.start().awaitSubscribed();
                await().atMost(Duration.ofSeconds(20)).until(() -> files(lake) > before);
            }
            assertThat(load.isDone()).as("every kill happened under load").isFalse();
            killing.set(false);
            int perTopic = load.join();
            int count = perTopic * TOPICS;
            await().atMost(Duration.ofSeconds(60)).until(() -> rows(lake) >= count);
            assertThat(plantline.stop()).isIn(0, 143);
            Tally tally = new Tally();
            for (ParquetRows.Row row : ParquetRows.read(lake + "/**/*.parquet")) {
                tally.add(row.payload());
            }
            System.out.println("disk, " + broker + ", QoS " + qos + ", " + KILLS + " kills: " + tally + ", missing "
                    + tally.missing(TOPICS, perTopic));
            assertThat(tally.missing(TOPICS, perTopic)).isEmpty();
            assertThat(tally.altered()).isZero();
            // Artemis sends again under new identifiers, which no receiver can tell from new messages.
            if (qos == 2 && !artemis) {
                assertThat(tally.duplicates()).isZero();
            }
            assertThat(plantline.log())
                    .containsPattern("ledger lake: accepted " + tally.total() + " = delivered " + tally.total()
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

    private static long rows(Path lake) throws IOException {
        return files(lake) == 0 ? 0 : ParquetRows.count(lake + "/**/*.parquet");
    }
}
