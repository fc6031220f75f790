package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Collector;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.FaultProxy;
import io.plantline.testkit.HttpFaultProxy;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.Mount;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The disk is full, really: nothing more is acknowledged, and it goes on by itself when there is room. */
class DiskFullIT {
    private static final int TOPICS = 20;
    private static final int RATE = 1_000;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void aFullDiskLosesNothingAndHealsByItself() throws Exception {
        Mosquitto.assumeInstalled();
        int port = Ports.free();
        try (Mount small = Mount.memory(directory.resolve("small"), "32m");
                Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                Mosquitto sink = Mosquitto.start(directory);
                Collector collector = new Collector(sink.port(), "#", 1)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "full"},
                     "data-directory": "%s", "data-min-free": 1,
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d, "retry-max": "500ms",
                                           "outbox": {"max-bytes": "16MiB"}}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "other"}}}""".formatted(source.port(), small.place().resolve("data"), port);
            PlantlineProcess plantline =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            plantline.await("TARGET-RETRY");
            Path others = fill(small.place());
            plantline.await("OUTBOX-DISK");
            assertThat(plantline.log()).contains("No space left on device");
            LockSupport.parkNanos(Duration.ofSeconds(3).toNanos());
            assertThat(plantline.isAlive()).isTrue();

            Files.delete(others);
            plantline.await("the disk writes again");
            int perTopic = load.stop();
            // Until now nobody has listened there.
            try (FaultProxy opened = FaultProxy.on(port, sink.port())) {
                await().atMost(Duration.ofMinutes(1)).until(() -> opened.connections() > 0);
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> collector.tally().distinct() >= (long) perTopic * TOPICS);
                assertThat(collector.tally().missing(TOPICS, perTopic)).isEmpty();
                assertThat(collector.tally().duplicates()).isZero();
                assertThat(collector.tally().inversions()).isZero();
                assertThat(plantline.stop()).isIn(0, 143);
                long total = collector.tally().total();
                assertThat(plantline.log())
                        .contains("ledger other: accepted " + total + " = delivered " + total
                                + " + filtered 0 + dead-lettered 0 + waiting 0");
            }
        }
    }

    /** A start makes a segment of 16 MiB; what waits leaves too little room for another. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void anOutageThatFillsTheDiskEndsWithTheOutage() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mount small = Mount.memory(directory.resolve("small"), "24m");
                Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                S3Server s3 = S3Server.start();
                HttpFaultProxy proxy = HttpFaultProxy.to(s3.uri().getPort())) {
            s3.createBucket("lake");
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "full"},
                     "data-directory": "%s", "data-min-free": "7MiB",
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                                 "event-type": "batch", "batch": {"max-age": "1s"}, "retry-max": "1s", "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "lake"}}}""".formatted(source.port(), small.place().resolve("data"), proxy.url());
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .config(document)
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            proxy.fault(HttpFaultProxy.Fault.DOWN);
            Load load = Load.start(source.port(), TOPICS, 2, 4_000, 2 * RATE);
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> Files.getFileStore(small.place()).getUsableSpace() < 22 << 20);
            assertThat(plantline.kill()).isEqualTo(137);
            plantline = program.start().awaitSubscribed();
            plantline.await("bytes would be left on the disk");

            assertThat(proxy.fault(HttpFaultProxy.Fault.NONE))
                    .as("the outage happened")
                    .isPositive();
            plantline.await("the disk writes again");
            int perTopic = load.stop();
            DistinctRows rows = DistinctRows.in(() -> s3.copy("lake", "", directory));
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> rows.count() >= (long) perTopic * TOPICS);
            assertThat(plantline.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(s3.copy("lake", "", directory), TOPICS, perTopic);
            System.out.println("a disk full of what waits: " + found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates()).isZero();
            assertThat(plantline.log())
                    .contains("ledger lake: accepted " + found.total() + " = delivered " + found.total()
                            + " + filtered 0 + dead-lettered 0 + waiting 0");
        }
    }

    /** Somebody else's file, which takes all there is. */
    private static Path fill(Path folder) throws IOException {
        Path file = folder.resolve("others");
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(new byte[4096]);
            }
        } catch (IOException full) {
            return file;
        }
    }
}
