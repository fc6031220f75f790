package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Planned;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.TestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A full disk, where what fills it is the log itself: what leaves it makes room, and nobody has to. */
class LogFullTest {
    private static final Log.Options OPTIONS = new Log.Options(4_096, 0, 0);
    private static final int BATCHES = 20;

    private final SimulatedDisk disk = new SimulatedDisk();
    private final List<Integer> refusals = new ArrayList<>();
    private Log log;

    private final class Watch implements Log.Listener {
        @Override
        public void failing(Exception cause) {
            refusals.add(1);
        }

        @Override
        public void recovered() {}

        @Override
        public void ended(Error cause) {
            throw cause;
        }

        @Override
        public void quarantined(long segment, long from, long to, @Nullable String file) {
            throw new AssertionError("nothing is damaged");
        }
    }

    @AfterEach
    void close() throws InterruptedException {
        log.close(1_000);
    }

    private void open(SimulatedDisk on) throws Exception {
        log = Log.open("full", on, 1, state -> List.of(), OPTIONS, new Watch(), Runnable::run);
    }

    private CompletableFuture<Void> submit(LogRecord record) {
        CompletableFuture<Void> durable = new CompletableFuture<>();
        log.submit(record, () -> durable.complete(null));
        return durable;
    }

    /** A message of half a kilobyte that does not compress. */
    private CompletableFuture<Void> store(int number) {
        byte[] payload = new byte[512];
        new java.util.Random(number).nextBytes(payload);
        MessageBatch.Builder builder = new MessageBatch.Builder(1_024);
        TestContext.add(builder, "t", payload, MessageProperties.NONE);
        return submit(new Stored(0, number, builder.build().numberedFrom(number + 1), Identifiers.NONE));
    }

    private CompletableFuture<Void> planAndCommit(int number) throws Exception {
        submit(new Planned(0, 1, number + 1, number + 1, 1)).get(5, TimeUnit.SECONDS);
        return submit(new Committed(0, number + 1, 1, 0, 0));
    }

    private void fill() throws Exception {
        for (int i = 0; i < BATCHES; i++) {
            store(i).get(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void whatLeavesMakesRoomWhereTooLittleWouldBeLeft() throws Exception {
        open(disk);
        fill();
        disk.scarce(true);
        List<CompletableFuture<Void>> more = new ArrayList<>();
        for (int i = BATCHES; i < BATCHES + 10; i++) {
            more.add(store(i));
        }
        await().until(() -> !refusals.isEmpty());
        assertThat(more).as("they do not fit").last().matches(stored -> !stored.isDone());
        for (int i = 0; i < BATCHES; i++) {
            planAndCommit(i).get(5, TimeUnit.SECONDS);
        }
        for (CompletableFuture<Void> stored : more) {
            stored.get(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void aStartOnAFullDiskDeliversAndStoresNothingThatDoesNotFit() throws Exception {
        open(disk);
        fill();
        log.close(1_000);
        SimulatedDisk next = disk.afterKill();
        next.scarce(true);
        open(next);
        CompletableFuture<Void> stored = store(BATCHES);
        await().until(() -> !refusals.isEmpty());
        planAndCommit(0).get(5, TimeUnit.SECONDS);
        assertThat(stored).as("in a segment made for commits").isNotDone();
        for (int i = 1; i < BATCHES; i++) {
            planAndCommit(i).get(5, TimeUnit.SECONDS);
        }
        stored.get(5, TimeUnit.SECONDS);
    }

    @Test
    void theOnlySegmentMakesRoomOfItself() throws Exception {
        open(disk);
        for (int i = 0; i < 5; i++) {
            store(i).get(5, TimeUnit.SECONDS);
        }
        disk.room(100);
        CompletableFuture<Void> stored = store(5);
        await().until(() -> !refusals.isEmpty());
        for (int i = 0; i < 5; i++) {
            assertThat(stored).isNotDone();
            planAndCommit(i).get(5, TimeUnit.SECONDS);
        }
        stored.get(5, TimeUnit.SECONDS);
        assertThat(disk.usableBytes()).isLessThan(OPTIONS.segmentBytes());
    }

    /** Somebody else takes the last block while nothing comes: the first that does not fit is a plan. */
    @Test
    void whatMakesRoomFindsSomeWhereThereIsNone() throws Exception {
        open(disk);
        for (int i = 0; i < 5; i++) {
            store(i).get(5, TimeUnit.SECONDS);
        }
        disk.full(true);
        for (int i = 0; i < 5; i++) {
            planAndCommit(i).get(5, TimeUnit.SECONDS);
        }
        store(5).get(5, TimeUnit.SECONDS);
    }

    @Test
    void whatIsWrittenIsNotWrittenAgainWhereNobodyIsLeftToHearOfIt() throws Exception {
        log = Log.open("full", disk, 1, state -> List.of(), OPTIONS, new Watch(), work -> {
            throw new java.util.concurrent.RejectedExecutionException("closed");
        });
        store(0);
        submit(new Committed(0, 1, 1, 0, 0));
        log.close(5_000);
        SimulatedDisk next = disk.afterKill();
        open(next);
        assertThat(log.recovered().lane(0).done()).isEqualTo(1);
        assertThat(log.recovered().lane(0).stored()).isEqualTo(1);
        assertThat(refusals).isEmpty();
    }
}
