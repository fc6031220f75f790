package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Collector;
import io.plantline.testkit.FaultProxy;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
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
        Path small = Files.createDirectories(directory.resolve("small"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=32m", "plantline-test", small.toString()),
                "SKIPPED: a small file system can be mounted by root only");
        int port = Ports.free();
        try (Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                Mosquitto sink = Mosquitto.start(directory);
                Collector collector = new Collector(sink.port(), "#", 1)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "full"},
                     "data-directory": "%s", "data-min-free": 1,
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d, "retry-max": "500ms",
                                           "outbox": {"max-bytes": "16MiB"}}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "other"}}}""".formatted(source.port(), small.resolve("data"), port);
            PlantlineProcess plantline =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            plantline.await("TARGET-RETRY");
            Path others = fill(small);
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
        } finally {
            run("umount", "-l", small.toString());
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

    private static boolean run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    }
}
