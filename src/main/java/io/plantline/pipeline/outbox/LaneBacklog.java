package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
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
    private final AgeClock ageClock = new AgeClock();
    private final LaneGap gap;

    /** Messages of the lane that were handed to the journal, since it was made. */
    private long appended;
    /** Of them, those that the journal has. */
    private long stored;
    /** Of them, those that are in memory or were. */
    private long loaded;

    /** What is to leave next and has no place in memory; before the queue. */
    private @Nullable Span span;
    /** Holes in what a pinned plan has, which are accounted for when it is done. */
    private final List<Entry> holes = new ArrayList<>();

    private boolean onDisk;
    private boolean reading;

    LaneBacklog(Relay relay, Journal journal, int number) {
        this.relay = relay;
        this.journal = journal;
        this.number = number;
        Journal.Start start = journal.start(number);
        this.appended = journal.ordinal(number);
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
            boolean fits = queue.isEmpty() || queue.bytes() + entry.batch().sizeInBytes() <= room();
            if (fits) {
                queue.add(entry);
                loaded = stored;
            } else {
                onDisk = true;
                journal.seek(number, entry.batch().firstSequence(), ordinal, null);
            }
        }
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
        return onDisk && !gap.isReached();
    }

    boolean isReading() {
        return reading;
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
        if (gap.isReached()) {
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

    /** Reads on from disk, as much as there is room for. */
    Future<Void> read() {
        reading = true;
        return journal.read(number, Math.max(1, room() - queue.bytes()))
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
        LogState.Gap open = gap.gap();
        if (open != null && gap.isReached() && queue.isEmpty()) {
            gap.pass();
            loaded = open.ordinal();
            onDisk = stored > loaded;
            journal.seek(number, open.next(), open.ordinal(), null);
            if (span != null) {
                span.close();
            }
        }
    }

    private Entry remove() {
        Entry head = queue.remove();
        passGap();
        return head;
    }

    /** Messages of the lane that are not needed between some that are. */
    LaneGap gap() {
        return gap;
    }

    /** Whether nothing is being read, and nothing was lost that is not accounted for yet. */
    boolean canRewind() {
        return !reading && holes.isEmpty();
    }

    /** What is behind a place in the log is read again when its turn comes. */
    void rewind(long sequence, long ordinal) {
        rewind(sequence, ordinal, gap.gap());
    }

    /**
     * The same.
     *
     * @param known the gap as it was there
     */
    void rewind(long sequence, long ordinal, LogState.@Nullable Gap known) {
        span = null;
        queue.clear();
        loaded = ordinal;
        onDisk = true;
        gap.from(sequence, known);
        journal.seek(number, sequence, ordinal, gap.isAhead() ? known : null);
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
        // A pinned plan may be of a time when plans were larger.
        boolean mayBeLarge = pinned != null || relay.target().maxBytes() > room();
        if (!relay.canLeaveOnDisk() || queue.bytes() < room() || !mayBeLarge) {
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
                open = new Span(head, headOrdinal());
                span = open;
            }
            open.add(remove());
            head = queue.peek();
        }
    }

    /** Whether a batch belongs to what is gathered; what is pinned keeps its bounds. */
    private boolean fits(Entry entry, @Nullable Plan pinned) {
        Span open = span;
        if (pinned != null) {
            if (entry.end() - 1 <= pinned.last()) {
                stripHole();
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
            taken.add(remove());
            next = queue.peek();
        }
        return taken;
    }

    /** Takes what is left of a plan that was made before. */
    List<Entry> takeUpTo(long last) {
        List<Entry> taken = new ArrayList<>();
        Entry next = queue.peek();
        while (next != null && next.end() - 1 <= last) {
            stripHole();
            Entry head = remove();
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
        return queue.isEmpty() ? null : remove();
    }

    /** Messages of the lane before the first in memory. */
    long headOrdinal() {
        return loaded - queue.records() - queue.lost();
    }

    void putBack(List<Entry> entries) {
        queue.putBack(entries);
    }

    // What nobody gets -----------------------------------------------------------------------------------------------

    /** Messages that damage took are accounted for when their turn comes. */
    void skipHoles() {
        Entry head = queue.peek();
        while (head != null && head.lost() > 0) {
            relay.accounts().lost(number, queue.removeHole());
            if (head.batch().count() == 0) {
                remove();
            }
            head = queue.peek();
        }
    }

    /** A hole within a plan is accounted for when the plan is: before that the lane still needs what is in front of it. */
    void stripHole() {
        Entry head = queue.peek();
        if (head != null && head.lost() > 0) {
            holes.add(queue.removeHole());
        }
    }

    /** The plan that had holes in it is through. */
    void accountForHoles() {
        holes.forEach(hole -> relay.accounts().lost(number, hole));
        holes.clear();
    }

    /** What is older than the configuration wants goes. */
    void skipExpired() {
        long maxAge = relay.target().limits().maxAge().toMillis() * 1_000;
        if (maxAge == 0 || !journal.isDurable()) {
            return;
        }
        long oldest = ageClock.micros() - maxAge;
        long expired = 0;
        long next = 0;
        Entry head = queue.peek();
        while (head != null && head.lost() == 0 && head.newestMicros() < oldest) {
            expired += head.batch().count();
            next = head.end();
            remove();
            head = queue.peek();
        }
        if (expired > 0) {
            relay.accounts().expired(number, expired, next);
        }
    }

    /** Whether what is before a place in the log can go now. */
    boolean canDrop() {
        return !reading && queue.lost() == 0;
    }

    /** Whether something of the lane waits behind what is on its way. */
    boolean isWaiting() {
        return !queue.isEmpty() || span != null || onDisk;
    }

    /** Messages before a place in the log, but for what is gathered, and what is before a gap; less than none: it is behind that place. */
    long droppable(Journal.Cut at) {
        long ordinal = at.ordinals()[number];
        LogState.Gap open = gap.gap();
        return gap.isAhead() && open != null ? ordinal - open.ordinal() : ordinal - (loaded - queue.records());
    }

    /**
     * Drops what is before a place in the log, but not what is gathered, nor what is before a gap.
     *
     * @param keptEnd sequence behind what stays before it; 0 if nothing does
     * @return messages that were dropped; none, if all that is there of this lane stays; less, if it stays as it is
     */
    long drop(Journal.Cut at, long keptEnd) {
        long ordinal = at.ordinals()[number];
        if (gap.isAhead()) {
            return gap.growTo(at.sequence(), ordinal);
        }
        long dropped = droppable(at);
        if (dropped < 0) {
            return dropped;
        }
        Entry head = queue.peek();
        while (head != null && head.end() <= at.sequence()) {
            queue.remove();
            head = queue.peek();
        }
        if (loaded < ordinal) {
            loaded = ordinal;
            onDisk = stored > loaded;
            if (onDisk) {
                journal.seek(number, at.sequence(), ordinal, null);
            }
        }
        if (span != null) {
            span.close();
        }
        gap.to(keptEnd, dropped, at.sequence(), ordinal);
        return dropped;
    }

    @Override
    public String toString() {
        return queue.records() + " in memory, " + loaded + " loaded of " + stored + " stored of " + appended
                + " appended"
                + (span == null ? "" : ", gathered up to " + span.end())
                + (onDisk ? ", more on disk" : "")
                + (gap.gap() == null ? "" : ", " + gap.gap())
                + (reading ? ", reading" : "");
    }

    /** Those who wait for a delivery hear that there was none. */
    void giveBack(String why) {
        queue.entries().forEach(entry -> entry.giveBack(why));
        queue.clear();
    }
}
