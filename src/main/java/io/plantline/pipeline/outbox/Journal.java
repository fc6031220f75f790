package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogState.Gap;
import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where a relay keeps messages until they are delivered. Used on the context of the relay. */
interface Journal {

    /**
     * How far a lane was when the journal was opened.
     *
     * @param ordinal messages of the lane before those that wait
     * @param gap messages that were dropped between those that wait
     */
    record Start(
            long waiting,
            @Nullable Plan plan,
            long ordinal,
            @Nullable Gap gap) {}

    /**
     * A place in the log such that room comes free when everything before it goes.
     *
     * @param sequence of the first message behind it
     * @param ordinals messages of each lane before it
     */
    record Cut(long sequence, long[] ordinals) {}

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
    void refused(long messages);

    /** The first place behind a message at which the log can be cut, if it is long enough. */
    Future<Optional<Cut>> cut(long after);

    /**
     * Messages of a lane between those that a publisher has and a place to cut are dropped.
     *
     * @param keptEnd sequence behind the last message that stays before them; 0 if none does
     */
    void dropped(int lane, long keptEnd, long messages, Cut at, Runnable freed);

    /**
     * Messages of a lane behind those that a publisher has are with another outbox now.
     *
     * @param keptEnd sequence behind the last message that stays before them; 0 if none does
     * @param next sequence of the first message behind them
     * @param ordinal messages of the lane before that
     */
    void moved(int lane, long keptEnd, long messages, long next, long ordinal, Runnable freed);

    /** Messages of a lane before {@code next} that nobody has tried to deliver have become too old. */
    void expired(int lane, long messages, long next, Runnable freed);

    /** The oldest messages of a lane, which a plan may have, are somebody else's, or nobody's, by command. */
    void purged(int lane, long messages, long next, Runnable freed);

    /** A hole in a lane, where damage took messages, is accounted for. */
    void quarantined(int lane, long messages, long next);

    /** Reads a lane on from a message that is not in memory; the first call after {@link #seek} begins there. */
    Future<Chunk> read(int lane, long maxBytes);

    /**
     * The next {@link #read} of a lane begins with this message.
     *
     * @param gap behind it, if there is one
     */
    void seek(int lane, long sequence, long ordinal, @Nullable Gap gap);

    /** Reads a part of a lane on its own. */
    Reader open(int lane, long sequence, long ordinal);

    /** Reads on; completes where it was called. */
    interface Reader {
        Future<Chunk> read(long maxBytes);
    }

    void release(Identifiers identifiers, Runnable released);

    /** QoS 2 messages that it keeps and the broker has not released; a copy. */
    Unreleased unreleased(long generation);

    /** Whether it keeps any, or has some to forget that is not durably forgotten yet. */
    boolean hasIdentifiers();

    /** Bytes on disk. */
    long usedBytes();

    Future<Void> close();
}
