package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Dropped;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.TestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Damage costs what it hits, is counted to the message, and never keeps the rest from leaving. */
class LogDamageTest {
    private static final Log.Options OPTIONS = new Log.Options(2_048, 0, 0);
    private static final Log.Options LARGE = new Log.Options(1 << 20, 0, 0);
    private static final int BATCHES = 24;
    private static final int COMMITTED = 2;

    private final List<String> quarantined = new ArrayList<>();
    private final CompletableFuture<Error> ended = new CompletableFuture<>();

    private final class Watch implements Log.Listener {
        @Override
        public void failing(Exception cause) {}

        @Override
        public void recovered() {}

        @Override
        public void ended(Error cause) {
            ended.complete(cause);
        }

        @Override
        public void quarantined(long segment, long from, long to, @Nullable String file) {
            quarantined.add(file);
        }
    }

    private Log open(SimulatedDisk disk) throws Exception {
        return Log.open("damage", disk, 1, state -> List.of(), OPTIONS, new Watch(), Runnable::run);
    }

    /** Three segments of groups with one batch of three messages each; the first batches are committed. */
    private SimulatedDisk filled() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = open(disk);
        for (int i = 0; i < BATCHES; i++) {
            write(log, new Stored(0, 3L * i, batch(i), new Identifiers(1, new int[] {i + 1})));
        }
        write(log, new Committed(0, 3 * COMMITTED, 3 * COMMITTED, 0, 0));
        log.close(1_000);
        return disk.afterKill();
    }

    private static MessageBatch batch(int number) {
        return batch(number, "message");
    }

    private static MessageBatch batch(int number, String text) {
        MessageBatch.Builder builder = new MessageBatch.Builder(256);
        for (int i = 0; i < 3; i++) {
            byte[] payload = (text + " " + number + "/" + i).getBytes();
            TestContext.add(builder, "t", payload, MessageProperties.NONE);
        }
        return builder.build().numberedFrom(1 + 3L * number);
    }

    private static void store(Log log, long ordinal, MessageBatch batch) throws InterruptedException {
        write(log, new Stored(0, ordinal, batch, Identifiers.NONE));
    }

    private static void write(Log log, LogRecord record) throws InterruptedException {
        CountDownLatch durable = new CountDownLatch(1);
        log.submit(record, durable::countDown);
        assertThat(durable.await(5, TimeUnit.SECONDS)).isTrue();
    }

    private static List<String> logs(SimulatedDisk disk) {
        return disk.list().stream().filter(name -> Segment.of(name) != null).toList();
    }

    @Test
    void whatEndsTheWriterIsToldAndNothingIsCalledDurable() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = open(disk);
        store(log, 0, batch(0));
        disk.crashAfter(0);
        CompletableFuture<Void> durable = new CompletableFuture<>();
        log.submit(new Stored(0, 3, batch(1), Identifiers.NONE), () -> durable.complete(null));
        assertThat(ended.get(5, TimeUnit.SECONDS)).isInstanceOf(SimulatedDisk.Crashed.class);
        log.close(1_000);
        assertThat(durable).isNotDone();
        assertThat(readAll(disk.afterKill()).read()).isEqualTo(3);
    }

    /** What is read and what is counted as lost, in messages. */
    private record Result(List<Long> batches, long read, long lost, long waiting) {}

    private Result readAll(SimulatedDisk disk) throws Exception {
        Log log = open(disk);
        LogReader reader = log.reader(0);
        List<Long> firsts = new ArrayList<>();
        long read = 0;
        long lost = 0;
        LogReader.Chunk chunk;
        do {
            chunk = reader.read(500);
            for (LogReader.Item item : chunk.items()) {
                lost += item.lost();
                Stored stored = item.stored();
                if (stored != null) {
                    firsts.add(stored.first());
                    read += stored.batch().count();
                    assertThat(stored.batch().toBytes())
                            .isEqualTo(batch((int) (stored.first() / 3)).toBytes());
                }
            }
        } while (!chunk.caughtUp());
        log.close(1_000);
        return new Result(firsts, read, lost, log.recovered().waiting());
    }

    @Test
    void aFlippedBitAnywhereCostsItsGroupAndIsCounted() throws Exception {
        SimulatedDisk good = filled();
        List<String> segments = logs(good);
        assertThat(segments).as("several segments").hasSizeGreaterThan(2);
        int cases = 0;
        for (String segment : segments) {
            for (int at = 0; at < good.length(segment); at += 7) {
                SimulatedDisk disk = good.copy();
                disk.flipBit(segment, at, at % 8);
                quarantined.clear();
                Result result = readAll(disk);
                String where = segment + " byte " + at;
                assertThat(result.batches()).as(where).isSorted().doesNotHaveDuplicates();
                assertThat(result.read() + result.lost()).as(where).isEqualTo(result.waiting());
                assertThat(result.lost()).as(where).isLessThanOrEqualTo(3);
                assertThat(result.waiting()).as(where).isBetween(3L * (BATCHES - COMMITTED - 1), 3L * BATCHES);
                cases++;
            }
        }
        assertThat(cases).isGreaterThan(500);
    }

    @Test
    void damageIsQuarantinedOnceAndShown() throws Exception {
        SimulatedDisk disk = filled();
        disk.flipBit(logs(disk).get(1), 1_000, 3);
        Result first = readAll(disk);
        assertThat(first.lost()).isEqualTo(3);
        assertThat(quarantined).hasSize(1);
        assertThat(disk.list()).contains(quarantined.get(0));
        Result second = readAll(disk.afterKill());
        assertThat(second).isEqualTo(first);
        assertThat(quarantined).as("once for each place").hasSize(1);
    }

    @Test
    void aBlockAtTheBeginningOfTheNewestSegmentCostsNothing() throws Exception {
        SimulatedDisk disk = filled();
        Result good = readAll(disk.copy());
        String newest = logs(disk).get(logs(disk).size() - 1);
        disk.zero(newest, 0, OPTIONS.segmentBytes() / 8);
        assertThat(readAll(disk)).isEqualTo(good);
        assertThat(quarantined).hasSize(1);
    }

    @Test
    void aNewestSegmentOfWhichNothingIsLeftIsKeptAndNothingBeginsAnew() throws Exception {
        SimulatedDisk disk = filled();
        List<String> before = logs(disk);
        Segment newest = Segment.of(before.get(before.size() - 1));
        for (int at = 0; at + Group.HEADER < disk.length(newest.name()); at += Group.ALIGNMENT) {
            disk.flipBit(newest.name(), at + 4, 0);
        }
        assertThat(LogInspection.of(disk).damage()).hasSize(1);
        assertThat(logs(disk)).as("looking changes nothing").isEqualTo(before);
        Log log = open(disk);
        assertThat(quarantined).containsExactly("quarantine-" + newest.name());
        assertThat(disk.list()).contains(quarantined.get(0)).doesNotContain(newest.name());
        assertThat(log.recovered().nextSequence()).isGreaterThanOrEqualTo(newest.base());
        assertThat((long) log.epoch()).isGreaterThan(newest.number());
        log.close(1_000);
        Log next = open(disk.afterKill());
        assertThat((long) next.epoch()).as("also when nothing was written").isGreaterThan(newest.number());
        assertThat(next.recovered().nextSequence()).isGreaterThanOrEqualTo(newest.base());
        next.close(1_000);
        assertThat(readAll(disk.afterKill()).read()).as("what was in others").isPositive();
    }

    @Test
    void aSegmentOfZerosIsDamageAndAnEmptyOneIsNot() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = Log.open("zeros", disk, 1, state -> List.of(), LARGE, new Watch(), Runnable::run);
        byte[] payload = new byte[200_000];
        new java.util.Random(1).nextBytes(payload);
        MessageBatch.Builder builder = new MessageBatch.Builder(1 << 18);
        TestContext.add(builder, "t", payload, MessageProperties.NONE);
        store(log, 0, builder.build().numberedFrom(1));
        int epoch = log.epoch();
        log.close(1_000);
        SimulatedDisk zeros = disk.afterKill();
        String only = logs(zeros).get(0);
        zeros.zero(only, 0, zeros.length(only));
        Log after = open(zeros);
        assertThat(quarantined).containsExactly("quarantine-" + only);
        assertThat(after.epoch()).isGreaterThan(epoch);
        after.close(1_000);
        quarantined.clear();
        SimulatedDisk unborn = disk.afterKill();
        unborn.create(new Segment(2, 2).name()).close();
        open(unborn).close(1_000);
        assertThat(quarantined).isEmpty();
        assertThat(logs(unborn)).containsExactly(only);
    }

    @Test
    void damageOnAFullDiskDoesNotKeepTheRestFromLeaving() throws Exception {
        SimulatedDisk disk = filled();
        disk.flipBit(logs(disk).get(1), 1_000, 3);
        disk.full(true);
        assertThat(readAll(disk).lost()).isEqualTo(3);
        assertThat(quarantined).isNotEmpty().containsOnlyNulls();
        SimulatedDisk next = disk.afterKill();
        quarantined.clear();
        assertThat(readAll(next).lost()).isEqualTo(3);
        assertThat(next.list()).as("now there is room").contains(quarantined.get(0));
    }

    @Test
    void aTornTailEndsTheLogAndTakesNothingBeforeIt() throws Exception {
        SimulatedDisk good = filled();
        String last = logs(good).get(logs(good).size() - 1);
        int length = good.length(last);
        for (int cut = 0; cut < Math.min(600, length); cut++) {
            SimulatedDisk disk = good.copy();
            disk.truncate(last, length - cut);
            Result result = readAll(disk);
            assertThat(result.lost()).as("cut %d", cut).isZero();
            assertThat(result.read()).as("cut %d", cut).isEqualTo(result.waiting());
            assertThat(quarantined).isEmpty();
        }
    }

    @Test
    void aReadThatFailsIsRepeatedAndSkipsNothing() throws Exception {
        SimulatedDisk disk = filled();
        Log log = open(disk);
        LogReader reader = log.reader(0);
        List<Long> firsts = new ArrayList<>();
        int failures = 0;
        boolean caughtUp = false;
        for (int round = 0; !caughtUp; round++) {
            disk.failReadAfter(round);
            try {
                LogReader.Chunk chunk = reader.read(100_000);
                chunk.items().forEach(item -> firsts.add(item.next()));
                caughtUp = chunk.caughtUp();
            } catch (java.io.IOException e) {
                failures++;
            }
        }
        log.close(1_000);
        assertThat(failures).isGreaterThan(2);
        assertThat(firsts).hasSize(BATCHES - COMMITTED).isSorted().doesNotHaveDuplicates();
    }

    /** Segments are larger here than a block of the disk. */
    @Test
    void aBlockThatCannotBeReadForLongCostsWhatIsInIt() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = Log.open("bad", disk, 1, state -> List.of(), LARGE, new Watch(), Runnable::run);
        for (int i = 0; i < 200; i++) {
            store(log, 3L * i, batch(i));
        }
        String first = logs(disk).get(0);
        disk.breakBlock(first, 8_192, 12_288);
        LogReader reader = log.reader(0);
        for (int i = 0; i < ReadFaults.LASTING; i++) {
            assertThatThrownBy(() -> reader.read(1 << 20))
                    .as("perhaps it comes back")
                    .hasMessageContaining("Input/output");
        }
        LogReader.Chunk chunk = reader.read(1 << 20);
        assertThat(chunk.caughtUp()).isTrue();
        long lost = chunk.items().stream().mapToLong(LogReader.Item::lost).sum();
        long read = chunk.items().stream().filter(item -> item.stored() != null).count();
        assertThat(lost).isBetween(3L, 120L);
        assertThat(3 * read + lost).isEqualTo(600);
        assertThat(quarantined).hasSize(1);
        log.close(1_000);
    }

    @Test
    void aStartReadsAroundABadBlockOfTheNewestSegment() throws Exception {
        SimulatedDisk disk = new SimulatedDisk();
        Log log = Log.open("bad", disk, 1, state -> List.of(), LARGE, new Watch(), Runnable::run);
        for (int i = 0; i < 200; i++) {
            store(log, 3L * i, batch(i));
        }
        log.close(1_000);
        SimulatedDisk next = disk.afterKill();
        next.breakBlock(logs(next).get(0), 8_192, 12_288);
        Log after = Log.open("bad", next, 1, state -> List.of(), LARGE, new Watch(), Runnable::run);
        assertThat(after.recovered().nextSequence()).isEqualTo(601);
        assertThat(after.recovered().waiting()).isEqualTo(600);
        assertThat(quarantined).hasSize(1);
        after.close(1_000);
    }

    @Test
    void aDiskThatIsGoneIsWaitedForHoweverLong() throws Exception {
        SimulatedDisk disk = filled();
        Log log = open(disk);
        LogReader reader = log.reader(0);
        disk.gone(true);
        for (int i = 0; i < 5 * ReadFaults.LASTING; i++) {
            assertThatThrownBy(() -> reader.read(1 << 20)).hasMessageContaining("Input/output");
        }
        disk.gone(false);
        LogReader.Chunk chunk = reader.read(1 << 20);
        assertThat(chunk.items()).hasSize(BATCHES - COMMITTED).allMatch(item -> item.lost() == 0);
        assertThat(quarantined).isEmpty();
        log.close(1_000);
    }

    @Test
    void writesOnAfterTheEndOfADamagedLog() throws Exception {
        SimulatedDisk disk = filled();
        String last = logs(disk).get(logs(disk).size() - 1);
        disk.truncate(last, disk.length(last) - 10);
        Log log = open(disk);
        long next = log.recovered().nextSequence();
        CountDownLatch durable = new CountDownLatch(1);
        log.submit(
                new Stored(
                        0, log.recovered().lane(0).stored(), batch((int) (next / 3)), new Identifiers(1, new int[0])),
                durable::countDown);
        assertThat(durable.await(5, TimeUnit.SECONDS)).isTrue();
        log.close(1_000);
        Result result = readAll(disk.afterKill());
        assertThat(result.batches()).endsWith(next);
        assertThat(result.lost()).isZero();
    }

    /** Only the segment behind says that such a group does not count, and that may go before this one does. */
    @Test
    void aGroupWhoseForceFailedNeverComesBack() throws Exception {
        int cases = 0;
        for (int operations = 0; operations < 24; operations++) {
            SimulatedDisk disk = new SimulatedDisk();
            Log first = open(disk);
            store(first, 0, batch(0));
            disk.failForceAfter(1); // Of the group; the one before is of the room that it takes.
            disk.crashAfter(operations);
            CountDownLatch never = new CountDownLatch(1);
            first.submit(new Stored(0, 3, batch(1, "of the same sequences"), Identifiers.NONE), never::countDown);
            first.close(1_000);
            disk = disk.afterKill();
            Log second = open(disk);
            if (logs(disk).size() < 2 || second.recovered().nextSequence() != 4) {
                second.close(1_000);
                continue;
            }
            cases++;
            for (int i = 1; i < BATCHES; i++) {
                store(second, 3L * i, batch(i));
            }
            // The first two are with a publisher; of the others only the last one stays.
            int last = BATCHES - 1;
            write(second, new Dropped(0, Loss.DROPPED, 7, 3 * (last - 2), 3 * last + 1, 3 * last));
            second.close(1_000);
            assertThat(logs(disk).get(1)).as("the second segment has gone").startsWith("0000000000000003");
            Result result = readAll(disk.afterKill());
            assertThat(result.batches()).isEqualTo(List.of(1L, 4L, 3L * last + 1));
            assertThat(result.lost()).isZero();
        }
        assertThat(cases).as("crashes before the group was in the next segment").isPositive();
    }
}
