package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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

    @ParameterizedTest
    @EnumSource
    void makesWhatItWasMadeOfOrSaysThatItCannot(Compression compression) {
        byte[] batch = batch(0).toBytes();
        byte[] to = new byte[7 + compression.bound(batch.length)];
        int size = compression.compress(batch, batch.length, to);
        assertThat(size).isLessThan(batch.length / 2);
        System.arraycopy(to, 0, to, 7, size);
        assertThat(compression.decompress(to, 7, size, batch.length)).isEqualTo(batch);

        for (int wrong : new int[] {batch.length - 1, batch.length + 1}) {
            assertThatThrownBy(() -> compression.decompress(to, 7, size, wrong))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> compression.decompress(to, 7, size - 1, batch.length))
                .isInstanceOf(IllegalArgumentException.class);
        to[7] ^= (byte) 0xFF;
        assertThatThrownBy(() -> compression.decompress(to, 7, size, batch.length))
                .isInstanceOf(IllegalArgumentException.class);

        byte[] noise = new byte[4_096];
        new Random(1).nextBytes(noise);
        byte[] room = new byte[compression.bound(noise.length)];
        int kept = compression.compress(noise, noise.length, room);
        assertThat(compression.decompress(room, 0, kept, noise.length)).isEqualTo(noise);
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
