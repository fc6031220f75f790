package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.vertx.core.Future;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where a relay keeps messages until they are delivered. Used on the context of the relay. */
interface Journal {

    /** How far a lane was when the journal was opened. */
    record Start(long waiting, @Nullable Plan plan) {}

    /** A part of a lane that was read again. */
    record Chunk(List<Entry> entries, boolean caughtUp, long ordinal) {}

    /** Whether messages are safe once they are stored, and not only when they are delivered. */
    boolean isDurable();

    int lanes();

    long nextSequence();

    /** Number of this start. */
    int epoch();

    Start start(int lane);

    /** Messages of a lane that were there when the journal was opened. */
    long ordinal(int lane);

    /**
     * Keeps a batch; {@code stored} runs when that is done.
     *
     * @param origin what it was made from, if a processor made it
     */
    void append(
            int lane,
            long ordinal,
            MessageBatch batch,
            Identifiers identifiers,
            @Nullable Origin origin,
            Runnable stored);

    /** Pins a plan; {@code pinned} runs when that is done. */
    void plan(Plan plan, Runnable pinned);

    /**
     * Messages of a lane up to {@code last} are accounted for.
     *
     * @param awaited whether the lane waits for {@code committed}
     */
    void commit(int lane, long last, PlanRun.Result result, boolean awaited, Runnable committed);

    /** Messages that were not taken are accounted for. */
    void dropped(long messages);

    /** Messages of a lane before {@code next} that nobody has tried to deliver have become too old. */
    void expired(int lane, long messages, long next, Runnable freed);

    /** A hole in a lane, where damage took messages, is accounted for. */
    void quarantined(int lane, long messages, long next);

    /** Reads a lane on from a message that is not in memory; the first call after {@link #seek} begins there. */
    Future<Chunk> read(int lane, long maxBytes);

    /** The next {@link #read} of a lane begins with this message. */
    void seek(int lane, long sequence, long ordinal);

    void release(Identifiers identifiers, Runnable released);

    BitSet identifiers(long generation);

    /** Whether it keeps any, or has some to forget that is not durably forgotten yet. */
    boolean hasIdentifiers();

    /** Bytes on disk. */
    long usedBytes();

    Future<Void> close();
}
