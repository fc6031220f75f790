package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.TestContext;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Room on the disk is worth more than time when messages pile up, and less when they pass through. */
class CompressionTest {
    private static final int BATCHES = 70;
    private static final int BATCH = 100;

    private static Log open(SimulatedDisk disk) throws Exception {
        return Log.open(
                "log",
                disk,
                1,
                state -> List.of(),
                new Log.Options(1 << 16, 0, 0),
                new LogModelTest.NoDamage(),
                Runnable::run);
    }

    private static MessageBatch batch(int number) {
        Random random = new Random(number);
        MessageBatch.Builder builder = new MessageBatch.Builder(1 << 15);
        for (int i = 0; i < BATCH; i++) {
            String json =
                    "{\"value\":" + random.nextDouble() * 100 + ",\"unit\":\"degC\",\"quality\":\"GOOD\",\"pressure\":"
                            + random.nextDouble() + ",\"tag\":\"TT-" + random.nextInt(5_000) + "\"}";
            TestContext.add(builder, "plant/line" + i % 10, json.getBytes(), MessageProperties.NONE);
        }
        return builder.build().numberedFrom(1 + (long) BATCH * number);
    }

    @Test
    void whatPilesUpTakesLessRoomThanWhatPassesThrough() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = open(disk);
        for (int i = 0; i < BATCHES; i++) {
            CountDownLatch durable = new CountDownLatch(1);
            log.submit(new Stored(0, (long) BATCH * i, batch(i), Identifiers.NONE), durable::countDown);
            assertThat(durable.await(5, TimeUnit.SECONDS)).isTrue();
        }
        log.close(1_000);

        List<Segment> segments =
                disk.list().stream().map(Segment::of).filter(Objects::nonNull).toList();
        assertThat(segments).as("segments").hasSizeGreaterThan(3);
        long inFirst = segments.get(1).base() - segments.get(0).base();
        long inLater = segments.get(3).base() - segments.get(2).base();
        assertThat(inLater).as("messages in a segment of a backlog").isGreaterThan(inFirst * 13 / 10);

        Log again = open(disk.afterKill());
        List<Stored> found = LogModelTest.readAll(again.reader(0), "after a kill");
        again.close(1_000);
        assertThat(found).hasSize(BATCHES);
        for (int i = 0; i < BATCHES; i++) {
            assertThat(found.get(i).batch().toBytes()).as("batch %d", i).isEqualTo(batch(i).toBytes());
        }
    }
}
