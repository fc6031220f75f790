package io.plantline.pipeline.outbox;

import io.plantline.pipeline.outbox.log.LogState.Gap;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages of a lane that were dropped or moved between some that stay; one run of them at a time, since a log remembers one. What is
 * in memory is on one side of it, so that no plan is on both: a plan across it would leave no room for another one.
 */
final class LaneGap {
    private @Nullable Gap gap;
    /** Whether all that is before it was read. */
    private boolean reached;
    /** Whether all that is before it has left the queue. */
    private boolean passed;

    /** As an earlier start has left it; null: there is none. */
    LaneGap(@Nullable Gap gap) {
        this.gap = gap;
    }

    @Nullable
    Gap gap() {
        return gap;
    }

    boolean isOpen() {
        return gap != null;
    }

    /** Whether messages behind this sequence can go: there is none, or they go on with it. */
    boolean isFree(long keptEnd) {
        return gap == null || gap.keptEnd() == keptEnd;
    }

    /** Sequence behind the last message before it; 0: there is none. */
    long start() {
        return gap == null ? 0 : gap.keptEnd();
    }

    /** Sequence of the first message behind it; 0: there is none. */
    long end() {
        return gap == null ? 0 : gap.next();
    }

    /** Whether what is in memory is before it. */
    boolean isAhead() {
        return gap != null && !passed;
    }

    /** Whether what is in memory is before it, and all there is of that. */
    boolean isReached() {
        return reached;
    }

    /**
     * Of what was read, what is before it; what is behind it is to be read again.
     *
     * @param ordinal messages of the lane before what was read
     */
    List<Entry> before(Journal.Chunk read, long ordinal) {
        // By position: who read may have known the gap as it was before it grew, and taken what is gone for damage.
        List<Entry> before = new ArrayList<>();
        long at = ordinal;
        for (Entry entry : read.entries()) {
            if (at < ordinalBefore()) {
                before.add(entry);
            }
            at += entry.lost() + entry.batch().count();
        }
        reached = read.caughtUp() || read.ordinal() > ordinalBefore();
        return before;
    }

    /** Messages of the lane before it. */
    long ordinalBefore() {
        return gap == null ? 0 : gap.ordinal() - gap.count();
    }

    /** All that is before it has left the queue. */
    void pass() {
        reached = false;
        passed = true;
    }

    /** Nothing of the lane is on its way before this sequence. */
    void hasLeft(long sequence) {
        if (passed && sequence >= start()) {
            gap = null;
            passed = false;
        }
    }

    /** Begins, or goes on, behind what is kept; not if nothing is. */
    void to(long keptEnd, long messages, long next, long ordinal) {
        long before = gap == null ? 0 : gap.count();
        gap = keptEnd == 0 ? null : new Gap(keptEnd, before + messages, next, ordinal);
        passed = gap != null;
    }

    /**
     * Goes on while it is ahead.
     *
     * @return messages that are in it now and were not before
     */
    long growTo(long next, long ordinal) {
        Gap open = gap;
        if (open == null || next <= open.next()) {
            return 0;
        }
        gap = new Gap(open.keptEnd(), open.count() + ordinal - open.ordinal(), next, ordinal);
        return ordinal - open.ordinal();
    }

    /**
     * The lane is read again from a place.
     *
     * @param known as it was there
     */
    void from(long sequence, @Nullable Gap known) {
        gap = known;
        reached = false;
        passed = known != null && sequence >= known.keptEnd();
    }
}
