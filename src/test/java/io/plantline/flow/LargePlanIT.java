package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Generator;
import io.plantline.testkit.HttpFaultProxy;
import io.plantline.testkit.HttpFaultProxy.Fault;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One object that is larger than the memory of the program, which is killed while it uploads it. */
class LargePlanIT {
    private static final int TOPICS = 20;
    private static final int MESSAGES = 8_000;
    private static final int SIZE = 20_000;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void anObjectLargerThanMemoryIsWrittenOnce() throws Exception {
        try (Artemis source = Artemis.start();
                S3Server s3 = S3Server.start();
                HttpFaultProxy proxy = HttpFaultProxy.to(s3.uri().getPort())) {
            s3.createBucket("lake");
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "large", "receive-maximum": 1000},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                                 "event-type": "batch", "batch": {"max-age": "1h", "max-bytes": "1GiB", "max-records": %d},
                                 "lanes": 1, "multipart-from": "5MiB", "format-options": {"compression": "uncompressed"}, "retry-max": "1s"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "lake"}}}""".formatted(source.port(), directory.resolve("data"), proxy.url(), MESSAGES);
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .config(document)
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            proxy.fault(Fault.DOWN);
            new Generator(source.port(), TOPICS, t -> "plant/line" + t, 2, SIZE).publish(MESSAGES, 0, 500, 1_000);
            plantline.await("TARGET-RETRY: lake");
            assertThat(proxy.fault(Fault.NONE)).isPositive();
            await().pollInterval(Duration.ofMillis(5))
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> !s3.uploads("lake").isEmpty());
            assertThat(plantline.kill()).isEqualTo(137);
            assertThat(s3.uploads("lake")).as("the kill came in the middle").isNotEmpty();

            PlantlineProcess again = program.start().awaitSubscribed();
            DistinctRows rows = DistinctRows.in(() -> s3.copy("lake", "", directory));
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> rows.count() >= MESSAGES);
            long peak = again.peakMegabytes();
            long largest = largest(directory.resolve("copy-"));
            assertThat(again.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(s3.copy("lake", "", directory), TOPICS, MESSAGES / TOPICS);
            System.out.printf(
                    Locale.ROOT,
                    "a plan of %d MB with -Xmx128m: %d objects, peak RSS %d MB; %s%n",
                    largest >> 20,
                    s3.keys("lake").size(),
                    peak,
                    found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates()).isZero();
            assertThat(found.altered()).isZero();
            assertThat(largest).as("larger than the heap").isGreaterThan(130L << 20);
            assertThat(s3.uploads("lake")).as("what the kill left is gone").isEmpty();
            assertThat(again.log()).contains("ledger lake: accepted 8000 = delivered 8000");
        }
    }

    private static long largest(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.mapToLong(file -> file.toFile().length()).max().orElse(0);
        }
    }
}
