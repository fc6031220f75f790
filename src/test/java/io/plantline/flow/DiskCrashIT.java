package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
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
        "artemis, 1, file, batch",
        "artemis, 2, file, batch",
        "mosquitto, 1, file, batch",
        "mosquitto, 2, file, batch",
        "mosquitto, 2, file, single",
        "artemis, 2, s3, batch",
        "mosquitto, 2, s3, single"
    })
    void nothingIsMissingAndQosTwoIsOnceInTheLake(String broker, int qos, String type, String eventType)
            throws Exception {
        boolean single = eventType.equals("single");
        boolean artemis = broker.equals("artemis");
        if (!artemis) {
            Mosquitto.assumeInstalled();
        }
        try (Lake lake = type.equals("s3") ? new BucketLake(single) : new FolderLake();
                AutoCloseable source =
                        artemis ? Artemis.start() : Mosquitto.start(directory, "max_inflight_messages 1000")) {
            int port = artemis ? ((Artemis) source).port() : ((Mosquitto) source).port();
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash", "unique-payloads": %s},
                     "data-directory": "%s",
                     "targets": {"lake": {%s, "event-type": "%s", "batch": {"max-age": "100ms"}, "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": %d, "target": "lake"}}}""".formatted(port, artemis, directory.resolve("data"), lake.target(), eventType, qos);
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .config(document)
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            Load load = Load.start(port, TOPICS, qos, 200, single ? SINGLE_RATE : RATE);
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long before = lake.some();
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = program.start().awaitSubscribed();
                await().atMost(Duration.ofSeconds(20))
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> lake.some() > before);
            }
            assertThat(load.isRunning()).as("every kill happened under load").isTrue();
            int perTopic = load.stop();
            int count = perTopic * TOPICS;
            DistinctRows rows = DistinctRows.in(lake::folder);
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> (single ? lake.objects() : rows.count()) >= count);
            assertThat(plantline.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(lake.folder(), TOPICS, perTopic);
            System.out.println("disk, " + type + ", " + eventType + ", " + broker + ", QoS " + qos + ", " + KILLS
                    + " kills: " + found.text());
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

    /** Where the objects go. */
    private interface Lake extends AutoCloseable {
        /** The section of the target, but for its braces and format. */
        String target();

        long objects() throws IOException;

        /** So many of them that it shows whether there are more; all are too many to be counted after each kill. */
        default long some() throws IOException {
            return objects();
        }

        /** The objects as files. */
        Path folder();

        @Override
        default void close() {}
    }

    private final class FolderLake implements Lake {
        private final Path folder = directory.resolve("lake");

        @Override
        public String target() {
            return "\"type\": \"file\", \"directory\": \"" + folder + "\"";
        }

        @Override
        public long objects() throws IOException {
            if (!Files.exists(folder)) {
                return 0;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                return files.filter(file -> file.toString().endsWith(".parquet"))
                        .count();
            } catch (UncheckedIOException e) {
                return objects(); // A file got its name while we looked.
            }
        }

        @Override
        public Path folder() {
            return folder;
        }
    }

    private final class BucketLake implements Lake {
        private final S3Server server = S3Server.start();

        private final String oneTopic;

        BucketLake(boolean single) {
            oneTopic = single ? "plant/line0/" : "";
            server.createBucket("lake");
        }

        @Override
        public String target() {
            return "\"type\": \"s3\", \"s3-bucket\": \"lake\", \"region\": \"us-east-1\", \"path-style\": true, \"endpoint\": \""
                    + server.uri() + "\"";
        }

        @Override
        public long objects() {
            return server.keys("lake").size();
        }

        @Override
        public long some() {
            return server.keys("lake", oneTopic).size();
        }

        @Override
        public Path folder() {
            return server.copy("lake", "", directory);
        }

        @Override
        public void close() {
            server.close();
        }
    }
}
