package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.outbox.log.LogState.Gap;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What of a lane waits, in order: what is gathered and leaves next, then what is in memory, then what is on disk only and
 * is read again from the journal when its turn comes.
 */
final class LaneBacklog {
    private final Relay relay;
    private final Journal journal;
    private final int number;
    private final LaneQueue queue = new LaneQueue();
    private final LaneReader reader;
    private final LaneLosses losses;

    /** What is to leave next and has no place in memory; before the queue. */
    private @Nullable Span span;

    LaneBacklog(Relay relay, Journal journal, int number) {
        this.relay = relay;
        this.journal = journal;
        this.number = number;
        this.reader = new LaneReader(journal, number, queue, this::room, this::closeSpan);
        this.losses = new LaneLosses(relay, journal, number, queue, reader);
    }

    /** What of it is on disk only, and how it gets into memory. */
    LaneReader reader() {
        return reader;
    }

    /** Messages of it that nobody gets. */
    LaneLosses losses() {
        return losses;
    }

    /** Messages that are not needed between some that are. */
    LaneGap gap() {
        return reader.gap();
    }

    /** What may be in memory, if there is a log. */
    private long room() {
        return Math.min(Math.max(relay.target().maxBytes(), 1 << 20), HeapShare.bytes());
    }

    /** What leaves together, at most. Only what is named by its plan needs one larger than there is room for. */
    private long planBytes() {
        long wanted = relay.target().maxBytes();
        return relay.canLeaveOnDisk() || !journal.isDurable() ? wanted : Math.min(wanted, room());
    }

    /** Whether nothing of it is in memory or gathered; there may be more on disk. */
    boolean isEmpty() {
        return queue.isEmpty() && span == null;
    }

    /** Whether there is more on disk that can be read now. */
    boolean isOnDisk() {
        return reader.hasMore() && !gap().isReached();
    }

    /** When its oldest message was received, microseconds since 1970; 0 if none is in memory. */
    long oldestMicros() {
        if (span != null) {
            return span.oldestMicros();
        }
        Entry oldest = queue.peek();
        return oldest == null ? 0 : oldest.oldestMicros();
    }

    /** Sequence behind what is gathered; 0 if nothing is. */
    long gatheredEnd() {
        return span == null ? 0 : span.end();
    }

    /** Whether all that a plan has is here. */
    boolean covers(Plan plan) {
        Entry last = queue.peekLast();
        return (last != null && last.end() > plan.last()) || gatheredEnd() > plan.last();
    }

    /** Whether as much waits as may leave together. */
    boolean isFull() {
        if (gap().isReached()) {
            return true; // What is behind it does not leave together with what is before it.
        }
        Span open = span;
        return open == null
                ? queue.records() >= relay.target().maxRecords() || queue.bytes() >= planBytes()
                : open.isClosed()
                        || open.count() + queue.records() >= relay.target().maxRecords()
                        || open.bytes() + queue.bytes() >= relay.target().maxBytes();
    }

    /** Nanoseconds until what is queued may leave; none or less: now. */
    long unripeNanos() {
        Entry head = queue.peek();
        Span open = span;
        if (isFull() || relay.isDraining() || (open == null && head == null)) {
            return 0;
        }
        long accepted = open != null
                ? open.acceptedNanos()
                : Objects.requireNonNull(head).acceptedNanos();
        return relay.target().maxAge().toNanos() - (System.nanoTime() - accepted);
    }

    // Reading it again -----------------------------------------------------------------------------------------------

    /** Whether nothing is being read, and nothing was lost that is not accounted for yet. */
    boolean canRewind() {
        return !reader.isReading() && losses.areSettled();
    }

    /** What is behind a place in the log is read again when its turn comes. */
    void rewind(long sequence, long ordinal) {
        rewind(sequence, ordinal, gap().gap());
    }

    /**
     * The same.
     *
     * @param known the gap as it was there
     */
    void rewind(long sequence, long ordinal, @Nullable Gap known) {
        span = null;
        reader.rewind(sequence, ordinal, known);
    }

    /** What is gathered is read again when its turn comes. */
    void ungather() {
        Span gathered = span;
        if (gathered != null) {
            rewind(gathered.first(), gathered.ordinal());
        }
    }

    // Taking from it -------------------------------------------------------------------------------------------------

    /** Takes what memory has no room for out of it again, once it is known what leaves together. */
    void gather(@Nullable Plan pinned) {
        if (!relay.canLeaveOnDisk() || queue.bytes() < room()) {
            return;
        }
        // A pinned plan may be of a time when plans were larger.
        boolean mayBeLarge = pinned != null || relay.target().maxBytes() > room();
        if (!mayBeLarge) {
            return;
        }
        gatherAll(pinned);
        if (span != null && queue.bytes() >= room()) {
            span.close();
        }
    }

    private void gatherAll(@Nullable Plan pinned) {
        Entry head = queue.peek();
        while (head != null && fits(head, pinned)) {
            Span open = span;
            if (open == null) {
                open = new Span(head, reader.headOrdinal());
                span = open;
            }
            open.add(reader.remove());
            head = queue.peek();
        }
    }

    /** Whether a batch belongs to what is gathered; what is pinned keeps its bounds. */
    private boolean fits(Entry entry, @Nullable Plan pinned) {
        Span open = span;
        if (pinned != null) {
            if (entry.end() - 1 <= pinned.last()) {
                losses.stripHole();
                return true;
            }
            return false;
        }
        return entry.lost() == 0
                && (open == null
                        || (!open.isClosed()
                                && open.epoch() == entry.epoch()
                                && open.count() + entry.batch().count()
                                        <= relay.target().maxRecords()
                                && open.bytes() + entry.batch().sizeInBytes()
                                        <= relay.target().maxBytes()));
    }

    /** What is behind a gap is not gathered with what is before it. */
    private void closeSpan() {
        if (span != null) {
            span.close();
        }
    }

    /** Takes what is gathered, with what has come meanwhile and belongs to it; null if nothing is. */
    @Nullable
    Span takeSpan(@Nullable Plan pinned) {
        if (span == null) {
            return null;
        }
        gatherAll(pinned);
        Span taken = span;
        span = null;
        return taken;
    }

    /** Takes what may be in one plan: of one start, and up to the next hole. */
    List<Entry> take() {
        Entry head = queue.peek();
        return head == null ? List.of() : takeOf(head.epoch(), relay.target().maxRecords(), planBytes());
    }

    /** Takes what may join a plan of a start. */
    List<Entry> takeOf(int epoch, int maxRecords, long maxBytes) {
        List<Entry> taken = new ArrayList<>();
        int records = 0;
        long bytes = 0;
        Entry next = queue.peek();
        while (next != null
                && next.lost() == 0
                && next.epoch() == epoch
                && (taken.isEmpty()
                        || (records + next.batch().count() <= maxRecords
                                && bytes + next.batch().sizeInBytes() <= maxBytes))) {
            records += next.batch().count();
            bytes += next.batch().sizeInBytes();
            taken.add(reader.remove());
            next = queue.peek();
        }
        return taken;
    }

    /** Takes what is left of a plan that was made before. */
    List<Entry> takeUpTo(long last) {
        List<Entry> taken = new ArrayList<>();
        Entry next = queue.peek();
        while (next != null && next.end() - 1 <= last) {
            losses.stripHole();
            Entry head = reader.remove();
            if (head.batch().count() > 0) {
                taken.add(head);
            }
            next = queue.peek();
        }
        return taken;
    }

    /** A message in the queue, without taking it, another one for each number; none, if there is none. */
    MessageBatch look(int number) {
        long left = queue.records() == 0 ? 0 : number % queue.records();
        for (Entry entry : queue.entries()) {
            MessageBatch batch = entry.batch();
            if (left < batch.count()) {
                long chosen = Batches.sequenceAt(batch, (int) left);
                return Batches.select(batch, sequence -> sequence == chosen);
            }
            left -= batch.count();
        }
        return Batches.merge(List.of());
    }

    /** Whether what is next cannot be in one plan with messages of a start. */
    boolean isApartFrom(int epoch) {
        Entry head = queue.peek();
        return head != null && (head.epoch() != epoch || head.lost() > 0);
    }

    /** Takes the oldest batch that is in memory; null if there is none. */
    @Nullable
    Entry poll() {
        return queue.isEmpty() ? null : reader.remove();
    }

    void putBack(List<Entry> entries) {
        queue.putBack(entries);
    }

    // Making room ----------------------------------------------------------------------------------------------------

    /** Whether what is before a place in the log can go now. */
    boolean canDrop() {
        return !reader.isReading() && queue.lost() == 0;
    }

    /** Whether something of the lane waits behind what is on its way. */
    boolean isWaiting() {
        return !isEmpty() || reader.hasMore();
    }

    /** Messages before a place in the log, but for what is gathered, and what is before a gap; less than none: it is behind that place. */
    long droppable(Journal.Cut at) {
        long ordinal = at.ordinals()[number];
        Gap open = gap().gap();
        return gap().isAhead() && open != null ? ordinal - open.ordinal() : ordinal - reader.headOrdinal();
    }

    /**
     * Drops what is before a place in the log, but not what is gathered, nor what is before a gap.
     *
     * @param keptEnd sequence behind what stays before it; 0 if nothing does
     * @return messages that were dropped; none, if all that is there of this lane stays; less, if it stays as it is
     */
    long drop(Journal.Cut at, long keptEnd) {
        long ordinal = at.ordinals()[number];
        if (gap().isAhead()) {
            return gap().growTo(at.sequence(), ordinal);
        }
        long dropped = droppable(at);
        if (dropped < 0) {
            return dropped;
        }
        reader.skipTo(at.sequence(), ordinal);
        closeSpan();
        gap().to(keptEnd, dropped, at.sequence(), ordinal);
        return dropped;
    }

    @Override
    public String toString() {
        return reader + (span == null ? "" : ", gathered up to " + span.end());
    }

    /** Those who wait for a delivery hear that there was none. */
    void giveBack(String why) {
        queue.entries().forEach(entry -> entry.giveBack(why));
        queue.clear();
    }
}
