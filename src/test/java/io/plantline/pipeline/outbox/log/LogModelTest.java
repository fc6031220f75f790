package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.Fingerprint;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Dropped;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogRecord.Planned;
import io.plantline.pipeline.outbox.log.LogRecord.Released;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.TestContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Thousands of crashes of the log on a simulated disk: whatever was said to be durable is there afterwards, in order and
 * unchanged; what was committed does not come again; nothing appears that was not written.
 */
class LogModelTest {
    private static final int LANES = 2;
    private static final Log.Options OPTIONS = new Log.Options(8_192, 0, 0);
    private static Thread.@Nullable UncaughtExceptionHandler before;

    private int kills;
    private int powerCuts;
    private int givenUp;
    private int failedForces;
    private int drops;
    private int full;
    private long read;

    @BeforeAll
    static void aCrashIsNoError() {
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {
            if (!(error instanceof SimulatedDisk.Crashed)) {
                error.printStackTrace();
            }
        });
    }

    @AfterAll
    static void restore() {
        Thread.setDefaultUncaughtExceptionHandler(before);
    }

    /** What one run has written, and what it was told of it. */
    private static final class Model {
        private final List<List<Stored>> lanes = List.of(new ArrayList<>(), new ArrayList<>());
        private final int[] durable = new int[LANES];
        private final int[] committed = new int[LANES];
        private final int[] committedDurable = new int[LANES];
        private final @Nullable Planned[] planned = new Planned[LANES];
        private final @Nullable Planned[] plannedDurable = new Planned[LANES];
        private final Set<Integer> identifiersAdded = new HashSet<>();
        private final Set<Integer> identifiersDurable = new HashSet<>();
        private final Set<Integer> released = new HashSet<>();
        private final Set<Integer> releasedDurable = new HashSet<>();
        private long nextSequence = 1;
        private final long[] ordinals = new long[LANES];
        private final @Nullable Drop[] dropping = new Drop[LANES];
        private final boolean[] gaps = new boolean[LANES];
        private int open;
    }

    /** Of the batches written to a lane, those from one on up to another, excluded. */
    private record Drop(int from, int to) {}

    @Test
    void nothingThatWasSafeIsMissingAfterAnyCrash() throws Exception {
        for (int seed = 0; seed < Integer.getInteger("log.seeds", 150); seed++) {
            run(seed);
        }
        assertThat(kills).isGreaterThan(30);
        assertThat(powerCuts).isGreaterThan(30);
        assertThat(givenUp).isGreaterThan(30);
        assertThat(failedForces).isGreaterThan(30);
        assertThat(drops).isGreaterThan(100);
        assertThat(full).isGreaterThan(30);
        assertThat(read).isGreaterThan(1_000);
    }

    private void run(int seed) throws Exception {
        Random random = new Random(seed);
        SimulatedDisk disk = new SimulatedDisk();
        Model model = new Model();
        for (int start = 0; start < 6; start++) {
            Log log = Log.open("model", disk, LANES, state -> List.of(), OPTIONS, new NoDamage(), Runnable::run);
            try {
                check(log, model, "seed " + seed + " start " + start);
            } catch (AssertionError e) {
                log.close(1_000);
                throw e;
            }
            if (random.nextInt(5) > 0) {
                disk.crashAfter(random.nextInt(80));
            }
            for (int step = 0; step < 60 && !disk.isCrashed(); step++) {
                step(random, disk, log, model);
            }
            settle(disk, model, 0);
            log.close(1_000);
            if (disk.hasGivenUpJournal()) {
                givenUp += disk.isCrashed() ? 1 : 0;
                disk = disk.afterPowerCut(random);
            } else if (random.nextBoolean()) {
                kills += disk.isCrashed() ? 1 : 0;
                disk = disk.afterKill();
            } else {
                powerCuts += disk.isCrashed() ? 1 : 0;
                disk = disk.afterPowerCut(random);
            }
        }
    }

    private void step(Random random, SimulatedDisk disk, Log log, Model model) throws InterruptedException {
        int lane = random.nextInt(LANES);
        switch (random.nextInt(11)) {
            case 0, 1, 2, 3, 4 -> append(random, lane, log, model);
            case 5, 6 -> commit(random, lane, log, model);
            case 7 -> plan(lane, log, model);
            case 8 -> release(log, model);
            case 9 -> drop(random, lane, disk, log, model);
            default -> {
                if (random.nextInt(4) == 0) {
                    disk.failForces(1);
                    failedForces++;
                } else if (random.nextInt(4) == 0) {
                    disk.failWrites(1);
                } else if (random.nextInt(4) == 0) {
                    disk.scarce(random.nextBoolean());
                    disk.full(random.nextBoolean());
                    full++;
                } else if (random.nextInt(8) == 0) {
                    disk.giveUpJournalAfter(random.nextInt(20));
                }
            }
        }
        if (random.nextInt(3) == 0) {
            settle(disk, model, 0);
        }
    }

    private void append(Random random, int lane, Log log, Model model) {
        int count = 1 + random.nextInt(4);
        byte[] payload = new byte[random.nextInt(700)];
        random.nextBytes(payload);
        MessageBatch.Builder builder = new MessageBatch.Builder(1024);
        for (int i = 0; i < count; i++) {
            TestContext.add(builder, "t" + lane, payload, MessageProperties.NONE);
        }
        int[] identifiers = random.nextBoolean() ? new int[0] : new int[] {1 + random.nextInt(65_535)};
        List<Fingerprint> contents = identifiers.length > 0 && random.nextBoolean()
                ? List.of(new Fingerprint(identifiers[0], identifiers[0]))
                : List.of();
        synchronized (model) {
            for (int identifier : identifiers) {
                if (model.released.contains(identifier) || !model.identifiersAdded.add(identifier)) {
                    return;
                }
            }
            Stored stored = new Stored(
                    lane,
                    model.ordinals[lane],
                    builder.build().numberedFrom(model.nextSequence),
                    new Identifiers(1, identifiers, contents),
                    random.nextBoolean() ? null : new Origin(random.nextInt(1_000), count, random.nextInt(9), 0));
            model.nextSequence += count;
            model.ordinals[lane] += count;
            model.lanes.get(lane).add(stored);
            model.open++;
            int index = model.lanes.get(lane).size();
            log.submit(
                    stored,
                    () -> durable(model, () -> {
                        model.durable[lane] = Math.max(model.durable[lane], index);
                        for (int identifier : identifiers) {
                            model.identifiersDurable.add(identifier);
                        }
                    }));
        }
    }

    /** As the outbox does: only what is durable leaves, and a planned range as a whole. */
    private static void submit(Log log, LogRecord record, boolean lazily, Runnable durable) {
        if (lazily) {
            log.submitLazily(record, durable);
        } else {
            log.submit(record, durable);
        }
    }

    private void commit(Random random, int lane, Log log, Model model) {
        synchronized (model) {
            int next = model.committed[lane];
            if (next >= model.durable[lane]) {
                return;
            }
            Stored first = model.lanes.get(lane).get(next);
            model.committed[lane]++;
            model.gaps[lane] = false;
            model.planned[lane] = null;
            model.open++;
            Committed record =
                    new Committed(lane, first.end() - 1, first.batch().count(), 0, 0);
            submit(
                    log,
                    record,
                    random.nextInt(20) == 0,
                    () -> durable(model, () -> {
                        model.committedDurable[lane] = Math.max(model.committedDurable[lane], next + 1);
                        model.plannedDurable[lane] = null;
                    }));
        }
    }

    private void plan(int lane, Log log, Model model) {
        synchronized (model) {
            int next = model.committed[lane];
            if (next >= model.durable[lane] || model.planned[lane] != null) {
                return;
            }
            Stored first = model.lanes.get(lane).get(next);
            Planned plan = new Planned(
                    lane, 1, first.first(), first.end() - 1, first.batch().count());
            model.planned[lane] = plan;
            model.open++;
            log.submit(plan, () -> durable(model, () -> model.plannedDurable[lane] = plan));
        }
    }

    /** As the outbox does: what a publisher has stays, and one gap is closed before there is another. */
    private void drop(Random random, int lane, SimulatedDisk disk, Log log, Model model) throws InterruptedException {
        settle(disk, model, 0);
        synchronized (model) {
            List<Stored> written = model.lanes.get(lane);
            int from = model.committed[lane] + (model.planned[lane] != null ? 1 : random.nextInt(2));
            if (disk.isCrashed() || model.gaps[lane] || model.durable[lane] - from < 2) {
                return;
            }
            int to = from + 1 + random.nextInt(model.durable[lane] - from - 1);
            Stored next = written.get(to);
            int count = written.subList(from, to).stream()
                    .mapToInt(stored -> stored.batch().count())
                    .sum();
            boolean gap = from > model.committed[lane];
            Drop drop = new Drop(from, to);
            model.dropping[lane] = drop;
            model.open++;
            log.submit(
                    new Dropped(
                            lane,
                            LogRecord.Loss.DROPPED,
                            gap ? written.get(from - 1).end() : 0,
                            count,
                            next.first(),
                            next.ordinal()),
                    () -> durable(model, () -> dropped(model, lane, drop)));
            model.gaps[lane] = gap;
        }
        settle(disk, model, 0);
    }

    private void dropped(Model model, int lane, Drop drop) {
        model.lanes.get(lane).subList(drop.from(), drop.to()).clear();
        model.durable[lane] -= drop.to() - drop.from();
        model.dropping[lane] = null;
        drops++;
    }

    private void release(Log log, Model model) {
        synchronized (model) {
            Integer some = model.identifiersDurable.stream()
                    .filter(identifier -> !model.released.contains(identifier))
                    .findFirst()
                    .orElse(null);
            if (some != null) {
                model.released.add(some);
                model.open++;
                log.submit(
                        new Released(1, new int[] {some}), () -> durable(model, () -> model.releasedDurable.add(some)));
            }
        }
    }

    private static void durable(Model model, Runnable change) {
        synchronized (model) {
            change.run();
            model.open--;
            model.notifyAll();
        }
    }

    private static void settle(SimulatedDisk disk, Model model, int left) throws InterruptedException {
        disk.full(false);
        disk.scarce(false);
        synchronized (model) {
            long end = System.nanoTime() + 10_000_000_000L;
            while (model.open > left && !disk.isCrashed()) {
                model.wait(1);
                assertThat(System.nanoTime()).as("the writer goes on").isLessThan(end);
            }
        }
    }

    /** Compares a log with its model, and goes on from what survived. */
    private void check(Log log, Model model, String where) throws IOException {
        LogState state = log.recovered();
        model.open = 0;
        long waiting = 0;
        for (int lane = 0; lane < LANES; lane++) {
            List<Stored> found = readAll(log.reader(lane), where);
            read += found.size();
            List<Stored> written = model.lanes.get(lane);
            LogState.Gap gap = state.lane(lane).gap();
            Drop drop = model.dropping[lane];
            if (drop != null) {
                long next = written.get(drop.to()).first();
                if (state.lane(lane).cursor() >= next || (gap != null && gap.next() == next)) {
                    dropped(model, lane, drop);
                }
                model.dropping[lane] = null;
            }
            model.gaps[lane] = gap != null;
            int from = model.committedDurable[lane];
            while (from < model.committed[lane]
                    && written.get(from).first() < state.lane(lane).cursor()) {
                from++;
            }
            assertThat(found.size() + from)
                    .as("%s: what was safe in lane %d", where, lane)
                    .isBetween(model.durable[lane], written.size());
            assertThat(found).as(where).isEqualTo(written.subList(from, from + found.size()));
            Planned plan = state.lane(lane).plan();
            if (model.plannedDurable[lane] != null && model.plannedDurable[lane] == model.planned[lane]) {
                assertThat(plan).as(where).isEqualTo(model.plannedDurable[lane]);
            }
            if (plan != null) {
                assertThat(plan.first()).as(where).isEqualTo(found.get(0).first());
            }
            // Messages without an origin say nothing of those with one, which may have been dropped since.
            Origin origin = state.lane(lane).origin();
            Origin newest = found.isEmpty() ? null : found.get(found.size() - 1).origin();
            if (newest != null) {
                assertThat(origin).as(where).isEqualTo(newest);
            } else if (found.stream().anyMatch(stored -> stored.origin() != null)) {
                assertThat(origin).as(where).isNotNull();
            }
            waiting += found.stream().mapToInt(stored -> stored.batch().count()).sum();
            written.subList(from + found.size(), written.size()).clear();
            model.durable[lane] = written.size();
            model.committed[lane] = from;
            model.committedDurable[lane] = from;
            model.planned[lane] = plan;
            model.plannedDurable[lane] = plan;
            model.ordinals[lane] = state.lane(lane).stored();
        }
        assertThat(state.waiting()).as(where).isEqualTo(waiting);
        assertThat(state.accepted()).as(where).isEqualTo(state.delivered() + state.lost(Loss.DROPPED) + waiting);
        identifiers(state, model, where);
        model.nextSequence = state.nextSequence();
    }

    private static void identifiers(LogState state, Model model, String where) {
        Set<Integer> found = new HashSet<>();
        Unreleased unreleased = state.identifiers().of(1);
        unreleased.packetIds().forEach(found::add);
        unreleased.forEachContent(
                (packetId, content) -> assertThat(content).as(where).isEqualTo(new Fingerprint(packetId, packetId)));
        Set<Integer> must = new HashSet<>(model.identifiersDurable);
        must.removeAll(model.released);
        assertThat(found).as(where).containsAll(must);
        assertThat(model.identifiersAdded).as(where).containsAll(found);
        assertThat(found.stream().filter(model.releasedDurable::contains))
                .as(where)
                .isEmpty();
        model.identifiersDurable.clear();
        model.identifiersDurable.addAll(found);
        model.identifiersAdded.clear();
        model.identifiersAdded.addAll(found);
        model.released.clear();
        model.releasedDurable.clear();
    }

    static List<Stored> readAll(LogReader reader, String where) throws IOException {
        List<Stored> found = new ArrayList<>();
        LogReader.Chunk chunk;
        do {
            chunk = reader.read(1_000);
            for (LogReader.Item item : chunk.items()) {
                assertThat(item.lost()).as("%s: no hole", where).isZero();
                found.add(item.stored());
            }
        } while (!chunk.caughtUp());
        return found;
    }

    /** Without bit flips nothing may look damaged. */
    static class NoDamage implements Log.Listener {
        @Override
        public void failing(Exception cause) {}

        @Override
        public void recovered() {}

        @Override
        public void ended(Error cause) {
            assertThat(cause).isInstanceOf(SimulatedDisk.Crashed.class);
        }

        @Override
        public void quarantined(long segment, long from, long to, @Nullable String file) {
            throw new AssertionError("damage in segment " + segment + " from " + from + " to " + to);
        }
    }
}
