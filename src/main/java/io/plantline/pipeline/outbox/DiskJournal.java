package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.HeldIdentifiers;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogReader;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Discarded;
import io.plantline.pipeline.outbox.log.LogRecord.Dropped;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogRecord.Planned;
import io.plantline.pipeline.outbox.log.LogRecord.Released;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Keeps messages in a {@link Log}; reads happen on worker threads. */
final class DiskJournal implements Journal {
    private static final long CLOSE_MILLIS = 5_000;
    private static final MessageBatch NOTHING = new MessageBatch.Builder(0).build();

    private final ContextInternal context;
    private final Log log;
    private final String target;
    private final String fingerprint;
    private final String outboxId;
    private final LogReader[] readers;
    private final HeldIdentifiers identifiers;
    private final HeldIdentifiers releasing = new HeldIdentifiers();

    DiskJournal(ContextInternal context, Log log, String target, String fingerprint, String outboxId) {
        this.context = context;
        this.log = log;
        this.target = target;
        this.fingerprint = fingerprint;
        this.outboxId = outboxId;
        LogState state = log.recovered();
        this.readers = new LogReader[state.lanes()];
        for (int lane = 0; lane < readers.length; lane++) {
            readers[lane] = log.reader(lane);
        }
        this.identifiers = state.identifiers();
    }

    @Override
    public boolean isDurable() {
        return true;
    }

    @Override
    public int lanes() {
        return readers.length;
    }

    @Override
    public long nextSequence() {
        return log.recovered().nextSequence();
    }

    @Override
    public int epoch() {
        return log.epoch();
    }

    @Override
    public Start start(int lane) {
        LogState.Lane state = log.recovered().lane(lane);
        return new Start(state.waiting(), plan(state.plan()), state.ordinal(), state.gap());
    }

    private @Nullable Plan plan(@Nullable Planned planned) {
        return planned == null
                ? null
                : new Plan(
                        target,
                        fingerprint,
                        outboxId,
                        planned.epoch(),
                        planned.first(),
                        planned.last(),
                        planned.lane(),
                        planned.count());
    }

    @Override
    public long ordinal(int lane) {
        return log.recovered().lane(lane).stored();
    }

    @Override
    public void append(
            int lane, long ordinal, MessageBatch batch, Identifiers some, @Nullable Origin origin, Runnable stored) {
        if (!some.isEmpty()) {
            identifiers.add(some);
        }
        log.submit(new Stored(lane, ordinal, batch, some, origin), stored);
    }

    @Override
    public void plan(Plan plan, Runnable pinned) {
        log.submit(new Planned(plan.lane(), (int) plan.epoch(), plan.first(), plan.last(), plan.count()), pinned);
    }

    @Override
    public void commit(int lane, long last, PlanRun.Result result, boolean awaited, Runnable committed) {
        Committed record = new Committed(lane, last, result.delivered(), result.filtered(), result.deadLettered());
        if (awaited) {
            log.submit(record, committed);
        } else {
            log.submitLazily(record, committed);
        }
    }

    @Override
    public void refused(long messages) {
        log.submit(new Discarded(Discarded.NEVER_STORED, Loss.DROPPED, messages, 0), null);
    }

    @Override
    public Future<Optional<Cut>> cut(long after) {
        return context.executeBlocking(() -> log.cut(after).map(cut -> new Cut(cut.sequence(), cut.ordinals())));
    }

    @Override
    public void dropped(int lane, long keptEnd, long messages, Cut at, Runnable freed) {
        log.submit(new Dropped(lane, Loss.DROPPED, keptEnd, messages, at.sequence(), at.ordinals()[lane]), freed);
    }

    @Override
    public void moved(int lane, long keptEnd, long messages, long next, long ordinal, Runnable freed) {
        log.submit(new Dropped(lane, Loss.PURGED, keptEnd, messages, next, ordinal), freed);
    }

    @Override
    public void expired(int lane, long messages, long next, Runnable freed) {
        log.submitLazily(new Discarded(lane, Loss.EXPIRED, messages, next), freed);
    }

    @Override
    public void purged(int lane, long messages, long next, Runnable freed) {
        log.submitLazily(new Discarded(lane, Loss.PURGED, messages, next), freed);
    }

    @Override
    public void quarantined(int lane, long messages, long next) {
        log.submit(new Discarded(lane, Loss.QUARANTINED, messages, next), null);
    }

    @Override
    public Future<Chunk> read(int lane, long maxBytes) {
        LogReader reader = readers[lane];
        return context.executeBlocking(() -> chunk(reader.read(maxBytes)));
    }

    private static Chunk chunk(LogReader.Chunk read) throws IOException {
        List<Entry> entries = new ArrayList<>();
        long now = System.nanoTime();
        for (LogReader.Item item : read.items()) {
            Stored stored = item.stored();
            MessageBatch batch = stored == null ? NOTHING.numberedFrom(item.next()) : stored.batch();
            entries.add(new Entry(batch, item.epoch(), item.lost(), null, now));
        }
        return new Chunk(entries, read.caughtUp(), read.ordinal());
    }

    @Override
    public void seek(int lane, long sequence, long ordinal, LogState.@Nullable Gap gap) {
        readers[lane] = log.reader(lane, sequence, ordinal, gap);
    }

    /** Used by publishers, so it reads for whoever calls. */
    @Override
    public Reader open(int lane, long sequence, long ordinal) {
        LogReader reader = log.reader(lane, sequence, ordinal);
        return maxBytes -> context.owner().executeBlocking(() -> chunk(reader.read(maxBytes)), false);
    }

    /** Only what this log holds is written: a message goes to few targets. */
    @Override
    public void release(Identifiers some, Runnable released) {
        long generation = some.generation();
        int[] held = IntStream.concat(
                        Arrays.stream(identifiers.heldOf(generation, some.packetIds())),
                        Arrays.stream(releasing.heldOf(generation, some.packetIds())))
                .distinct()
                .toArray();
        if (held.length == 0) {
            released.run();
            return;
        }
        identifiers.remove(generation, held);
        releasing.add(new Identifiers(generation, held));
        log.submit(new Released(generation, held), () -> {
            releasing.remove(generation, held);
            released.run();
        });
    }

    @Override
    public Unreleased unreleased(long of) {
        return identifiers.of(of);
    }

    @Override
    public boolean hasIdentifiers() {
        return !identifiers.isEmpty() || !releasing.isEmpty();
    }

    @Override
    public long usedBytes() {
        return log.usedBytes();
    }

    @Override
    public Future<Void> close() {
        return context.executeBlocking(() -> {
            log.close(CLOSE_MILLIS);
            return null;
        });
    }
}
