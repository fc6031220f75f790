package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.Packet;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.TestContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A start with a large backlog takes a new message at once, and counts what waits without reading it. */
class BacklogIT {
    private static final int MEGABYTES = Integer.getInteger("backlog.megabytes", 300);
    private static final int PAYLOAD = 64 << 10;
    private static final int PER_BATCH = 16;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void aStartWithABacklogAcknowledgesAtOnce() throws Exception {
        Path data = directory.resolve("data");
        try (ScriptedBroker broker = ScriptedBroker.start()) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "backlog"},
                     "data-directory": "%s",
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d,
                                           "outbox": {"max-bytes": "40GiB"}}},
                     "subscriptions": {"plant/#": {"qos": 1, "target": "other"}}}""".formatted(broker.port(), data, Ports.free());
            PlantlineProcess.Builder program =
                    PlantlineProcess.in(directory).config(document).jvm("-Xmx256m");
            PlantlineProcess first = program.start();
            ScriptedBroker.Connection one = broker.welcome(false);
            one.publish("plant/1", 1, 1, false, "the first").expectAck(Packet.PUBACK, 1);
            assertThat(first.kill()).isEqualTo(137);

            long messages = 1 + fill(data);

            long start = System.nanoTime();
            PlantlineProcess second = program.start();
            broker.accept()
                    .connected(true)
                    .grantSubscriptions()
                    .publish("plant/1", 1, 2, false, "the last")
                    .expectAck(Packet.PUBACK, 2);
            double seconds = (System.nanoTime() - start) / 1e9;
            await().atMost(Duration.ofSeconds(20)).until(() -> {
                try (PlantlineProcess ledger = PlantlineProcess.in(directory)
                        .arguments("ledger", "--data-directory", data.toString())
                        .start()) {
                    assertThat(ledger.exitCode()).isZero();
                    return ledger.log().contains("waiting " + (messages + 1));
                }
            });
            System.out.printf(
                    Locale.ROOT,
                    "%d MB waiting: %.2f s from the start to the first acknowledgement, resident %d MB%n",
                    MEGABYTES,
                    seconds,
                    second.residentMegabytes());
            second.kill();
        }
    }

    /** Appends a backlog as the program does; random payloads, which do not compress. */
    private static long fill(Path data) throws Exception {
        Path folder;
        try (Stream<Path> folders = Files.list(data.resolve("targets"))) {
            folder = folders.findFirst().orElseThrow();
        }
        Log log = Log.open(
                "fill",
                new FileDisk(folder),
                1,
                state -> List.of(),
                new Log.Options(16 << 20, 0, 0),
                new Quiet(),
                Runnable::run);
        long next = log.recovered().nextSequence();
        long ordinal = log.recovered().lane(0).stored();
        long messages = 0;
        Semaphore queued = new Semaphore(16);
        Random random = new Random(7);
        byte[] payload = new byte[PAYLOAD];
        while (messages * PAYLOAD < MEGABYTES * 1_000_000L) {
            MessageBatch.Builder builder = new MessageBatch.Builder(PER_BATCH * PAYLOAD + 1024);
            for (int i = 0; i < PER_BATCH; i++) {
                random.nextBytes(payload);
                TestContext.add(builder, "plant/1", payload, MessageProperties.NONE);
            }
            queued.acquire();
            log.submit(new Stored(0, ordinal, builder.build().numberedFrom(next), Identifiers.NONE), queued::release);
            next += PER_BATCH;
            ordinal += PER_BATCH;
            messages += PER_BATCH;
        }
        log.close(60_000);
        return messages;
    }

    private static final class Quiet implements Log.Listener {
        @Override
        public void failing(Exception cause) {
            throw new IllegalStateException(cause);
        }

        @Override
        public void recovered() {}

        @Override
        public void ended(Error cause) {
            throw cause;
        }

        @Override
        public void quarantined(long segment, long from, long to, String file) {
            throw new IllegalStateException("damage");
        }
    }
}
