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
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The uplink is down and all targets wait at once: together they have more than the memory of the program could hold. */
class ManyTargetsIT {
    private static final int TARGETS = 6;
    private static final int TOPICS = 20;
    private static final int MESSAGES = 20_000;
    private static final int SIZE = 750;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void allTargetsWaitInASmallHeapAndAgainAfterAKill() throws Exception {
        try (Artemis source = Artemis.start();
                S3Server s3 = S3Server.start();
                HttpFaultProxy proxy = HttpFaultProxy.to(s3.uri().getPort())) {
            s3.createBucket("lake");
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .asShipped()
                    .jvm("-XX:+ExitOnOutOfMemoryError")
                    .config(document(source.port(), proxy.url()))
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            proxy.fault(Fault.DOWN);
            new Generator(source.port(), TOPICS, t -> "plant/line" + t, 1, SIZE).publish(MESSAGES, 0, 2_000);
            plantline.await("TARGET-RETRY: lake" + (TARGETS - 1));
            assertThat(plantline.isAlive()).as("it waits in its memory").isTrue();
            assertThat(plantline.kill()).isEqualTo(137);

            PlantlineProcess again = program.start().awaitSubscribed();
            for (int i = 0; i < TARGETS; i++) {
                again.await("TARGET-RETRY: lake" + i);
            }
            assertThat(again.isAlive()).as("and after a start with all of it").isTrue();
            assertThat(proxy.fault(Fault.NONE)).isPositive();

            for (int i = 0; i < TARGETS; i++) {
                String prefix = "lake" + i + "/";
                DistinctRows rows = DistinctRows.in(() -> s3.copy("lake", prefix, directory));
                await().atMost(Duration.ofMinutes(2))
                        .pollInterval(Duration.ofSeconds(1))
                        .until(() -> rows.count() >= MESSAGES);
                Verifier.Findings found =
                        Verifier.verify(s3.copy("lake", prefix, directory), TOPICS, MESSAGES / TOPICS);
                assertThat(found.missing()).as(prefix).isEmpty();
                assertThat(found.altered()).as(prefix).isZero();
            }
            System.out.printf(
                    Locale.ROOT,
                    "%d targets down, %d MB waiting for each, -Xmx128m: peak RSS %d MB%n",
                    TARGETS,
                    (long) MESSAGES * SIZE >> 20,
                    again.peakMegabytes());
            assertThat(again.stop()).isIn(0, 143);
            assertThat(again.log()).doesNotContain("OutOfMemoryError");
        }
    }

    private String document(int port, String endpoint) {
        String targets = IntStream.range(0, TARGETS)
                .mapToObj(i -> """
                        "lake%d": {"type": "s3", "s3-bucket": "lake", "key-prefix": "lake%d", "region": "us-east-1", "endpoint": "%s",
                                   "path-style": true, "event-type": "batch", "retry-max": "1s"}""".formatted(i, i, endpoint))
                .collect(Collectors.joining(", "));
        String names =
                IntStream.range(0, TARGETS).mapToObj(i -> "\"lake" + i + "\"").collect(Collectors.joining(", "));
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "many", "receive-maximum": 1000},
                 "data-directory": "%s", "targets": {%s},
                 "subscriptions": {"plant/#": {"qos": 1, "targets": [%s]}}}""".formatted(port, directory.resolve("data"), targets, names);
    }
}
