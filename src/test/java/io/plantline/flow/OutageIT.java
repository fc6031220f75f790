package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Books;
import io.plantline.testkit.HttpFaultProxy;
import io.plantline.testkit.HttpFaultProxy.Fault;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** S3 away, refusing, and losing its answers, while 1,000 messages a second go on: every row is there once. */
class OutageIT {
    private static final int TOPICS = 20;
    private static final int RATE = 1_000;
    private static final Duration DOWN = Duration.ofSeconds(Integer.getInteger("outage.seconds", 60));
    private static final Duration REFUSED = Duration.ofSeconds(Integer.getInteger("outage.refused-seconds", 5));
    private static final Duration SHORT = Duration.ofSeconds(5);
    private static final Pattern WAITING = Pattern.compile("dead-lettered (\\d+) .*waiting (\\d+)");

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 40, unit = TimeUnit.MINUTES)
    void everyRowIsThereOnceAfterOutageRefusalAndLostAnswers() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                S3Server s3 = S3Server.start();
                HttpFaultProxy proxy = HttpFaultProxy.to(s3.uri().getPort())) {
            s3.createBucket("lake");
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "outage"},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                                 "event-type": "batch", "batch": {"max-age": "1s"}, "retry-max": "1s", "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "lake"}}}""".formatted(source.port(), directory.resolve("data"), proxy.url());
            PlantlineProcess plantline = PlantlineProcess.in(directory)
                    .config(document)
                    .jvm("-Xmx256m")
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY)
                    .start()
                    .awaitSubscribed();
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            await().until(() -> s3.keys("lake").size() > 2);

            proxy.fault(Fault.DOWN);
            LockSupport.parkNanos(DOWN.toNanos());
            long waiting = waiting();
            assertThat(waiting).isGreaterThan(DOWN.toSeconds() * RATE * 8 / 10);
            assertThat(proxy.fault(Fault.NONE)).as("the outage happened").isPositive();
            long start = System.nanoTime();
            await().atMost(Duration.ofMinutes(5))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> waiting() < 2L * RATE);
            double seconds = (System.nanoTime() - start) / 1e9;

            proxy.status(403);
            await().until(() -> plantline.log().contains("TARGET-HELD: lake"));
            LockSupport.parkNanos(REFUSED.toNanos());
            assertThat(proxy.fault(Fault.ANSWER_LOST))
                    .as("the refusals happened")
                    .isPositive();
            LockSupport.parkNanos(SHORT.toNanos());
            assertThat(proxy.fault(Fault.NONE)).as("answers were lost").isPositive();

            int perTopic = load.stop();
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> waiting() == 0);
            long peak = plantline.peakMegabytes();
            assertThat(plantline.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(s3.copy("lake", "", directory), TOPICS, perTopic);
            System.out.printf(
                    Locale.ROOT,
                    "S3 down for %d s, then 403 for %d s: %d waited, caught up at %.1f times the rate while it went on, peak RSS %d MB; %s%n",
                    DOWN.toSeconds(),
                    REFUSED.toSeconds(),
                    waiting,
                    waiting / seconds / RATE + 1,
                    peak,
                    found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates()).isZero();
            assertThat(found.altered()).isZero();
            assertThat(peak).isLessThan(450);
            assertThat(plantline.log())
                    .contains("ledger lake: accepted " + found.total() + " = delivered " + found.total()
                            + " + filtered 0 + dead-lettered 0 + waiting 0");
        }
    }

    private long waiting() throws IOException {
        Matcher books = WAITING.matcher(Books.of(directory.resolve("data")));
        assertThat(books.find()).isTrue();
        assertThat(books.group(1)).as("an outage is nobody's fault").isEqualTo("0");
        return Long.parseLong(books.group(2));
    }
}
