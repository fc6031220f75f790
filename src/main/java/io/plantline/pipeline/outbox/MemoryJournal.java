package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Keeps nothing: the broker does, because nothing is acknowledged before it is delivered. */
final class MemoryJournal implements Journal {
    private final int lanes;

    MemoryJournal(int lanes) {
        this.lanes = lanes;
    }

    @Override
    public boolean isDurable() {
        return false;
    }

    @Override
    public int lanes() {
        return lanes;
    }

    @Override
    public long nextSequence() {
        return 1;
    }

    @Override
    public int epoch() {
        return 0;
    }

    @Override
    public Start start(int lane) {
        return new Start(0, null, 0, null);
    }

    @Override
    public long ordinal(int lane) {
        return 0;
    }

    @Override
    public void append(
            int lane,
            long ordinal,
            MessageBatch batch,
            Identifiers identifiers,
            @Nullable Origin origin,
            Runnable stored) {
        stored.run();
    }

    @Override
    public void plan(Plan plan, Runnable pinned) {
        pinned.run();
    }

    @Override
    public void commit(int lane, long last, PlanRun.Result result, boolean awaited, Runnable committed) {
        committed.run();
    }

    @Override
    public void refused(long messages) {
        throw new IllegalStateException("memory is never full: the session reads no more");
    }

    @Override
    public Future<Optional<Cut>> cut(long after) {
        throw new IllegalStateException("memory is never full: the session reads no more");
    }

    @Override
    public void dropped(int lane, long keptEnd, long messages, Cut at, Runnable freed) {
        throw new IllegalStateException("memory is never full: the session reads no more");
    }

    @Override
    public void moved(int lane, long keptEnd, long messages, long next, long ordinal, Runnable freed) {
        freed.run();
    }

    @Override
    public void purged(int lane, long messages, long next, Runnable freed) {
        freed.run();
    }

    @Override
    public void expired(int lane, long messages, long next, Runnable freed) {
        throw new IllegalStateException("the broker decides how long it keeps what is not acknowledged");
    }

    @Override
    public void quarantined(int lane, long messages, long next) {
        throw new IllegalStateException("memory has no holes");
    }

    @Override
    public Future<Chunk> read(int lane, long maxBytes) {
        throw new IllegalStateException("all there is is in memory");
    }

    @Override
    public void seek(int lane, long sequence, long ordinal, LogState.@Nullable Gap gap) {
        throw new IllegalStateException("all there is is in memory");
    }

    @Override
    public Reader open(int lane, long sequence, long ordinal) {
        throw new IllegalStateException("all there is is in memory");
    }

    @Override
    public void release(Identifiers identifiers, Runnable released) {
        released.run();
    }

    @Override
    public Unreleased unreleased(long generation) {
        return new Unreleased();
    }

    @Override
    public boolean hasIdentifiers() {
        return false;
    }

    @Override
    public long usedBytes() {
        return 0;
    }

    @Override
    public Future<Void> close() {
        return Future.succeededFuture();
    }
}
