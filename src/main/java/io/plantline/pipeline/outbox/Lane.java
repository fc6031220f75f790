package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.Plan;
import io.plantline.spi.Loop;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One lane of a relay: what waits, in order, and at most one plan in flight. What does not fit into memory is read again
 * from the journal when its turn comes.
 */
final class Lane {
    /** A plan of more bytes is read from disk while it leaves. */
    private static final long IN_MEMORY = 16 << 20;

    private final Relay relay;
    private final Journal journal;
    private final int number;
    private final LaneQueue queue = new LaneQueue();
    private @Nullable PlanRun running;
    private @Nullable Plan pinned;
    private @Nullable String trouble;

    private boolean waitingForAge;
    private @Nullable Runnable backingOff;

    /** Messages of the lane that were handed to the journal, since it was made. */
    private long appended;
    /** Of them, those that the journal has. */
    private long stored;
    /** Of them, those that are in memory or were. */
    private long loaded;

    /** Sequence behind what is still here before messages that were dropped; 0: none were. */
    private long gapStart;

    /** What is to leave next and has no place in memory; before the queue. */
    private @Nullable Span span;
    /** Holes in what a pinned plan has, which are accounted for when it is done. */
    private final List<Entry> holes = new ArrayList<>();

    private boolean onDisk;
    private boolean reading;
    private boolean moving;

    Lane(Relay relay, Journal journal, int number) {
        this.relay = relay;
        this.journal = journal;
        this.number = number;
        Journal.Start start = journal.start(number);
        this.pinned = start.plan();
        this.appended = journal.ordinal(number);
        this.stored = appended;
        this.loaded = start.ordinal();
        this.gapStart = start.gapStart();
        this.onDisk = start.waiting() > 0;
    }

    int number() {
        return number;
    }

    /** Whether nothing of the lane is with a publisher or processor. */
    boolean isIdle() {
        return running == null || backingOff != null;
    }

    /** Its plan waits before it is tried again. */
    void backOff(Runnable again) {
        backingOff = again;
    }

    /** Tries its plan again, if that is what it still waits for. */
    void tryAgain(Runnable again) {
        if (backingOff == again) {
            backingOff = null;
            again.run();
        }
    }

    /** The target is defined otherwise: what waits for the old definition's time does not any more. */
    void redefined() {
        waitingForAge = false;
        if (backingOff != null) {
            tryAgain(backingOff);
        }
        pump();
    }

    /** Whether this failure is news. */
    boolean troubledBy(String what) {
        boolean news = !what.equals(trouble);
        trouble = what;
        return news;
    }

    boolean recoveredFromTrouble() {
        boolean was = trouble != null;
        trouble = null;
        return was;
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
                journal.seek(number, entry.batch().firstSequence(), ordinal);
            }
        }
        pump();
    }

    /** When its oldest message was received, microseconds since 1970; 0 if none is in memory. */
    long oldestMicros() {
        if (running != null) {
            return running.oldestMicros();
        } else if (span != null) {
            return span.oldestMicros();
        }
        Entry oldest = queue.peek();
        if (oldest == null) {
            return 0;
        }
        MessageCursor message = oldest.batch().cursor();
        return message.next() ? message.receivedAtMicros() : 0;
    }

    private long room() {
        long plan = Math.max(relay.target().maxBytes(), 1 << 20);
        return relay.canLeaveOnDisk() ? Math.min(plan, IN_MEMORY) : plan;
    }

    /** Takes what memory has no room for out of it again, once it is known what leaves together. */
    private void gather() {
        if (!relay.canLeaveOnDisk() || queue.bytes() < room() || relay.target().maxBytes() <= room()) {
            return;
        }
        gatherAll();
        if (span != null && queue.bytes() >= room()) {
            span.close();
        }
    }

    private void gatherAll() {
        Entry head = queue.peek();
        while (head != null && fits(head)) {
            Span open = span;
            if (open == null) {
                open = new Span(head, headOrdinal());
                span = open;
            }
            open.add(queue.remove());
            head = queue.peek();
        }
    }

    /** Whether a batch belongs to what is gathered; what is pinned keeps its bounds. */
    private boolean fits(Entry entry) {
        Span open = span;
        Plan plan = pinned;
        if (plan != null) {
            if (entry.end() - 1 <= plan.last()) {
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

    /** Messages of the lane before the first in the queue. */
    private long headOrdinal() {
        return loaded - queue.records() - queue.lost();
    }

    private void read() {
        readOn().onComplete(read -> {
            if (relay.isClosed()) {
                return;
            }
            if (read.failed()) {
                relay.cannotRead(this, read.cause());
                return;
            }
            pump();
            relay.makeRoom();
        });
    }

    private Future<Void> readOn() {
        reading = true;
        return journal.read(number, Math.max(1, room() - queue.bytes()))
                .onComplete(read -> reading = false)
                .map(read -> {
                    read.entries().forEach(queue::add);
                    loaded = read.ordinal();
                    onDisk = !(read.caughtUp() && loaded >= stored);
                    return null;
                });
    }

    /**
     * Hands what no publisher has to somebody else, a batch at a time; what a publisher has stays.
     *
     * @param to completes when it has a batch
     * @param tried also the plan that was tried and waits to be tried again
     * @return how many messages
     */
    Future<Long> move(Function<MessageBatch, Future<Void>> to, boolean tried) {
        boolean onItsWay = running != null && backingOff == null;
        if (reading || moving || pinned != null || (onItsWay && !journal.isDurable())) {
            return Future.succeededFuture(0L);
        }
        moving = true;
        return (tried ? giveUp(to) : Future.succeededFuture(0L))
                .compose(givenUp -> {
                    if (!journal.isDurable()) {
                        abandon();
                    }
                    Span gathered = span;
                    if (gathered != null) {
                        rewind(gathered.first(), gathered.ordinal());
                    }
                    long[] moved = {givenUp};
                    return Loop.run(() -> moveNext(to, moved)).map(v -> moved[0]);
                })
                .onComplete(moved -> {
                    moving = false;
                    pump();
                });
    }

    private Future<Long> giveUp(Function<MessageBatch, Future<Void>> to) {
        PlanRun waits = running;
        Runnable again = backingOff;
        if (waits == null || again == null) {
            return Future.succeededFuture(0L);
        }
        backingOff = null;
        return waits.handTo(to)
                .onSuccess(count -> {
                    relay.givenUp(this, waits, count);
                    freed();
                })
                .onFailure(e -> again.run());
    }

    /** In memory a plan is nothing that a later start would find: what waits to be tried again goes with the rest. */
    private void abandon() {
        PlanRun waits = running;
        if (waits == null || backingOff == null || waits.hasDelivered()) {
            return;
        }
        running = null;
        backingOff = null;
        queue.putBack(waits.entries());
        relay.abandoned(this);
    }

    private Future<Boolean> moveNext(Function<MessageBatch, Future<Void>> to, long[] moved) {
        if (relay.isClosed() || relay.isStopping()) {
            return Future.succeededFuture(false);
        }
        if (!journal.isDurable()) {
            moved[0] += moveFromMemory(to);
            return Future.succeededFuture(false);
        }
        if (!queue.isEmpty()) {
            if (running == null) {
                skipHoles();
            } else {
                stripHole();
            }
        }
        if (queue.isEmpty()) {
            return onDisk ? readOn().map(true) : Future.succeededFuture(false);
        }
        long ordinal = headOrdinal();
        Entry entry = queue.remove();
        int count = entry.batch().count();
        return to.apply(entry.batch())
                .compose(
                        v -> {
                            gapStart = keptEnd();
                            relay.moved(this, count, gapStart, entry.end(), ordinal + count);
                            moved[0] += count;
                            return Future.succeededFuture(true);
                        },
                        e -> {
                            rewind(entry.batch().firstSequence(), ordinal);
                            return Future.failedFuture(e);
                        });
    }

    /** Safe when it is delivered; the next ones need not wait for that. */
    private long moveFromMemory(Function<MessageBatch, Future<Void>> to) {
        long moved = 0;
        while (!queue.isEmpty()) {
            Entry entry = queue.remove();
            to.apply(entry.batch()).onComplete(entry.safe() == null ? Promise.promise() : entry.safe());
            relay.moved(this, entry.batch().count(), 0, entry.end(), 0);
            moved += entry.batch().count();
        }
        return moved;
    }

    /** What is behind a place in the log is read again when its turn comes. */
    private void rewind(long sequence, long ordinal) {
        span = null;
        queue.clear();
        loaded = ordinal;
        onDisk = true;
        journal.seek(number, sequence, ordinal);
    }

    /** Nanoseconds until what is queued may leave; none or less: now. */
    private long unripeNanos() {
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

    private boolean isFull() {
        Span open = span;
        return open == null
                ? queue.records() >= relay.target().maxRecords()
                        || queue.bytes() >= relay.target().maxBytes()
                : open.isClosed()
                        || open.count() + queue.records() >= relay.target().maxRecords()
                        || open.bytes() + queue.bytes() >= relay.target().maxBytes();
    }

    /** Starts the next plan, if there is something to leave and nothing on its way. */
    void pump() {
        if (running != null || reading || moving || relay.isClosed() || relay.isStopping()) {
            return;
        }
        gather();
        if (onDisk && (pinned != null ? !covers(pinned) : !isFull())) {
            read();
            return;
        }
        if (span == null && pinned == null) {
            skipHoles();
            skipExpired();
        }
        if (onDisk && queue.isEmpty() && span == null) {
            read();
            return;
        }
        if ((queue.isEmpty() && span == null) || (waitingForAge && unripeNanos() > 0)) {
            return;
        }
        long unripe = pinned == null ? unripeNanos() : 0;
        if (unripe > 0) {
            waitingForAge = true;
            relay.context().setTimer(1 + unripe / 1_000_000, id -> {
                waitingForAge = false;
                pump();
            });
            return;
        }
        start();
    }

    private boolean covers(Plan plan) {
        Entry last = queue.peekLast();
        return (last != null && last.end() > plan.last()) || (span != null && span.end() > plan.last());
    }

    /** Messages that damage took are accounted for when their turn comes. */
    private void skipHoles() {
        Entry head = queue.peek();
        while (head != null && head.lost() > 0) {
            relay.lost(this, queue.removeHole());
            if (head.batch().count() == 0) {
                queue.remove();
            }
            head = queue.peek();
        }
    }

    /** What is older than the configuration wants goes, unless a plan has it. */
    private void skipExpired() {
        long maxAge = relay.target().limits().maxAge().toMillis() * 1_000;
        if (maxAge == 0 || !journal.isDurable() || pinned != null) {
            return;
        }
        long oldest = System.currentTimeMillis() * 1_000 - maxAge;
        long expired = 0;
        long next = 0;
        Entry head = queue.peek();
        while (head != null && head.lost() == 0 && newestMicros(head) < oldest) {
            expired += head.batch().count();
            next = head.end();
            queue.remove();
            head = queue.peek();
        }
        if (expired > 0) {
            relay.expired(this, expired, next);
        }
    }

    private static long newestMicros(Entry entry) {
        MessageCursor message = entry.batch().cursor();
        long newest = 0;
        while (message.next()) {
            newest = Math.max(newest, message.receivedAtMicros());
        }
        return newest;
    }

    /** Sequence behind what a publisher has or is about to get; 0 if there is no such thing. */
    long keptEnd() {
        PlanRun now = running;
        if (now != null) {
            return now.end();
        }
        return pinned != null ? pinned.last() + 1 : span != null ? span.end() : 0;
    }

    /** Whether messages can be dropped now; if not, the lane asks its relay again later. */
    boolean canDrop() {
        return !reading && !moving && pinned == null && queue.lost() == 0 && (gapStart == 0 || keptEnd() == gapStart);
    }

    /**
     * Drops what no publisher has and is before a place in the log.
     *
     * @return messages that were dropped
     */
    long drop(Journal.Cut at, Runnable freed) {
        long ordinal = at.ordinals()[number];
        long dropped = ordinal - (loaded - queue.records());
        if (dropped <= 0) {
            return 0;
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
                journal.seek(number, at.sequence(), ordinal);
            }
        }
        gapStart = keptEnd();
        if (span != null) {
            span.close();
        }
        journal.dropped(number, gapStart, dropped, at, freed);
        return dropped;
    }

    private void start() {
        Plan again = pinned;
        if (span != null) {
            gatherAll();
            Span taken = span;
            span = null;
            pinned = null;
            Plan plan = again != null
                    ? again
                    : relay.plan(taken.epoch(), taken.first(), taken.end() - 1, number, taken.count());
            start(new PlanRun(relay, plan, again != null, taken, relay.backoff()));
            return;
        }
        pinned = null;
        List<Entry> entries =
                again == null ? take(relay.target().maxRecords(), relay.target().maxBytes()) : takeUpTo(again.last());
        if (entries.isEmpty()) {
            accountForHoles();
            pump();
            return;
        }
        int count = entries.stream().mapToInt(entry -> entry.batch().count()).sum();
        Entry first = entries.get(0);
        long last = entries.get(entries.size() - 1).end() - 1;
        Plan plan =
                again != null ? again : relay.plan(first.epoch(), first.batch().firstSequence(), last, number, count);
        start(new PlanRun(relay, plan, again != null, entries, relay.backoff(), this::take));
    }

    private void start(PlanRun run) {
        running = run;
        run.start()
                .onComplete(done -> relay.finished(this, run, () -> {
                    freed();
                    pump();
                    relay.makeRoom();
                }));
    }

    /** Its plan is accounted for. */
    private void freed() {
        if (keptEnd() >= gapStart) {
            gapStart = 0;
        }
        running = null;
        accountForHoles();
    }

    private void accountForHoles() {
        holes.forEach(hole -> relay.lost(this, hole));
        holes.clear();
    }

    /** Takes what may be in one plan: of one start, and up to the next hole. */
    private List<Entry> take(int maxRecords, long maxBytes) {
        List<Entry> taken = new ArrayList<>();
        int records = 0;
        long bytes = 0;
        Entry next = queue.peek();
        PlanRun joined = running;
        int epoch = joined != null ? joined.epoch() : next == null ? 0 : next.epoch();
        while (next != null
                && next.lost() == 0
                && next.epoch() == epoch
                && (taken.isEmpty()
                        || (records + next.batch().count() <= maxRecords
                                && bytes + next.batch().sizeInBytes() <= maxBytes))) {
            records += next.batch().count();
            bytes += next.batch().sizeInBytes();
            taken.add(queue.remove());
            next = queue.peek();
        }
        return taken;
    }

    /** What is left of a plan that was made before. */
    private List<Entry> takeUpTo(long last) {
        List<Entry> taken = new ArrayList<>();
        Entry next = queue.peek();
        while (next != null && next.end() - 1 <= last) {
            stripHole();
            if (next.batch().count() == 0) {
                queue.remove();
            } else {
                taken.add(queue.remove());
            }
            next = queue.peek();
        }
        return taken;
    }

    /** A hole within a plan is accounted for when the plan is: before that the lane still needs what is in front of it. */
    private void stripHole() {
        Entry head = queue.peek();
        if (head != null && head.lost() > 0) {
            holes.add(queue.removeHole());
        }
    }

    /** Those who wait for a delivery hear that there was none. */
    void giveBack(String why) {
        for (Entry entry : queue.entries()) {
            if (entry.safe() != null) {
                entry.safe().tryFail(why);
            }
        }
        queue.clear();
        if (running != null) {
            running.giveBack(why);
        }
    }
}
