package io.plantline.pipeline.outbox;

import io.plantline.pipeline.outbox.log.LogState.Gap;
import io.vertx.core.Future;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the queue of a lane filled, in order and as far as there is room: with what comes, or with what is read again from the journal.
 * At a gap it stops until all that is before it has left the queue.
 */
final class LaneReader {
    private final Journal journal;
    private final int lane;
    private final LaneQueue queue;
    private final LongSupplier room;
    private final Runnable gapPassed;
    private final LaneGap gap;

    /** Messages of the lane that were handed to the journal, since it was made. */
    private long appended;
    /** Of them, those that the journal has. */
    private long stored;
    /** Of them, those that are in memory or were. */
    private long loaded;

    private boolean onDisk;
    private boolean reading;

    /**
     * A reader.
     *
     * @param room bytes that may be in the queue
     * @param gapPassed what comes next is behind a gap
     */
    LaneReader(Journal journal, int lane, LaneQueue queue, LongSupplier room, Runnable gapPassed) {
        this.journal = journal;
        this.lane = lane;
        this.queue = queue;
        this.room = room;
        this.gapPassed = gapPassed;
        Journal.Start start = journal.start(lane);
        this.appended = journal.ordinal(lane);
        this.stored = appended;
        this.loaded = start.ordinal();
        this.onDisk = start.waiting() > 0;
        this.gap = new LaneGap(start.gap());
    }

    /** The place of a batch in the lane. */
    long nextOrdinal(int messages) {
        long ordinal = appended;
        appended += messages;
        return ordinal;
    }

    /** The journal has a batch. It stays in memory if everything before it does and there is room. */
    void add(Entry entry, long ordinal) {
        stored = ordinal + entry.batch().count();
        if (!journal.isDurable()) {
            queue.add(entry);
        } else if (!onDisk && ordinal >= loaded) {
            boolean fits = queue.isEmpty() || queue.bytes() + entry.batch().sizeInBytes() <= room.getAsLong();
            if (fits) {
                queue.add(entry);
                loaded = stored;
            } else {
                onDisk = true;
                journal.seek(lane, entry.batch().firstSequence(), ordinal, null);
            }
        }
    }

    /** Messages of the lane that are not needed between some that are. */
    LaneGap gap() {
        return gap;
    }

    /** Whether there is more on disk, before a gap or behind it. */
    boolean hasMore() {
        return onDisk;
    }

    boolean isReading() {
        return reading;
    }

    /** Messages of the lane before the first in memory. */
    long headOrdinal() {
        return loaded - queue.records() - queue.lost();
    }

    /** Reads on. */
    Future<Void> read() {
        reading = true;
        return journal.read(lane, Math.max(1, room.getAsLong() - queue.bytes()))
                .andThen(read -> reading = false)
                .map(read -> {
                    if (gap.isAhead()) {
                        gap.before(read, loaded).forEach(queue::add);
                        loaded = Math.min(read.ordinal(), gap.ordinalBefore());
                        passGap();
                    } else {
                        read.entries().forEach(queue::add);
                        loaded = read.ordinal();
                        onDisk = !(read.caughtUp() && loaded >= stored);
                    }
                    return null;
                });
    }

    /** What is behind a gap is read when what is before it has left the queue. */
    private void passGap() {
        Gap open = gap.gap();
        if (open != null && gap.isReached() && queue.isEmpty()) {
            gap.pass();
            loaded = open.ordinal();
            onDisk = stored > loaded;
            journal.seek(lane, open.next(), open.ordinal(), null);
            gapPassed.run();
        }
    }

    /** Takes the oldest batch that is in memory, which there must be. */
    Entry remove() {
        Entry head = queue.remove();
        passGap();
        return head;
    }

    /** What is before a place in the log is not needed any more. */
    void skipTo(long sequence, long ordinal) {
        Entry head = queue.peek();
        while (head != null && head.end() <= sequence) {
            queue.remove();
            head = queue.peek();
        }
        if (loaded < ordinal) {
            loaded = ordinal;
            onDisk = stored > loaded;
            if (onDisk) {
                journal.seek(lane, sequence, ordinal, null);
            }
        }
    }

    /**
     * What is behind a place in the log is read again when its turn comes.
     *
     * @param known the gap as it was there
     */
    void rewind(long sequence, long ordinal, @Nullable Gap known) {
        queue.clear();
        loaded = ordinal;
        onDisk = true;
        gap.from(sequence, known);
        journal.seek(lane, sequence, ordinal, gap.isAhead() ? known : null);
    }

    @Override
    public String toString() {
        return queue.records() + " in memory, " + loaded + " loaded of " + stored + " stored of " + appended
                + " appended"
                + (onDisk ? ", more on disk" : "")
                + (gap.gap() == null ? "" : ", " + gap.gap())
                + (reading ? ", reading" : "");
    }
}
