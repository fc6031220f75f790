package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.vertx.core.Future;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One lane of a relay: at most one plan in flight, and behind it what waits, in order. */
final class Lane {
    private final Relay relay;
    private final Journal journal;
    private final int number;
    private final LaneBacklog backlog;
    private final LaneReader reader;
    private final LaneMove move;
    private final LaneTrouble trouble;
    private final Pace pace;
    private @Nullable PlanRun running;
    private @Nullable Plan pinned;
    private boolean waitingForAge;
    private @Nullable Runnable backingOff;

    Lane(Relay relay, Journal journal, int number, LaneTrouble trouble) {
        this.relay = relay;
        this.journal = journal;
        this.number = number;
        this.trouble = trouble;
        this.backlog = new LaneBacklog(relay, journal, number);
        this.reader = backlog.reader();
        this.move = new LaneMove(relay, journal, this, backlog);
        this.pace = new Pace(relay.context(), this::pump);
        this.pinned = journal.start(number).plan();
    }

    int number() {
        return number;
    }

    /** Whether nothing of the lane is with a publisher or processor. */
    boolean isIdle() {
        return running == null || backingOff != null;
    }

    /** When its oldest message was received, microseconds since 1970; 0 if none is in memory. */
    long oldestMicros() {
        return running != null ? running.oldestMicros() : backlog.oldestMicros();
    }

    /** The place of a batch in the lane. */
    long nextOrdinal(int messages) {
        return reader.nextOrdinal(messages);
    }

    /** The journal has a batch. */
    void add(Entry entry, long ordinal) {
        reader.add(entry, ordinal);
        pump();
    }

    // Trying again ---------------------------------------------------------------------------------------------------

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
        tryAgain();
        pump();
    }

    /** Tries its plan again now, if it waits for that. */
    void tryAgain() {
        if (backingOff != null) {
            tryAgain(backingOff);
        }
    }

    LaneTrouble trouble() {
        return trouble;
    }

    // The next plan --------------------------------------------------------------------------------------------------

    /** Starts the next plan, if there is something to leave and nothing on its way. */
    void pump() {
        if (running != null || reader.isReading() || move.isGoingOn() || relay.isClosed() || relay.isStopping()) {
            return;
        }
        if (pinned == null && backlog.gatheredEnd() == 0) {
            backlog.gap().hasLeft(Long.MAX_VALUE);
        }
        backlog.gather(pinned);
        if (backlog.isOnDisk() && (pinned != null ? !backlog.covers(pinned) : !backlog.isFull())) {
            read();
            return;
        }
        if (backlog.gatheredEnd() == 0 && pinned == null) {
            backlog.losses().skipHoles();
            backlog.losses().skipExpired();
        }
        if (backlog.isEmpty()) {
            if (backlog.isOnDisk()) {
                read();
            }
            return;
        }
        long unripe = pinned == null || waitingForAge ? backlog.unripeNanos() : 0;
        if (unripe <= 0) {
            if (!pace.holds()) {
                start();
            }
        } else if (!waitingForAge) {
            waitingForAge = true;
            relay.context().setTimer(1 + unripe / 1_000_000, id -> {
                waitingForAge = false;
                pump();
            });
        }
    }

    private void read() {
        reader.read().onComplete(read -> {
            if (relay.isClosed()) {
                return;
            }
            if (read.failed()) {
                relay.cannotRead(this, read.cause());
                return;
            }
            pump();
            relay.limit().makeRoom();
        });
    }

    private void start() {
        Plan again = pinned;
        pinned = null;
        Span taken = backlog.takeSpan(again);
        if (taken != null) {
            Plan plan = again != null
                    ? again
                    : relay.plan(taken.epoch(), taken.first(), taken.end() - 1, number, taken.count());
            start(new PlanRun(relay, plan, again != null, taken, relay.backoff()));
            return;
        }
        List<Entry> entries = again == null ? backlog.take() : backlog.takeUpTo(again.last());
        if (entries.isEmpty()) {
            backlog.losses().accountForHoles();
            pump();
            return;
        }
        int count = Batches.count(Entry.batches(entries));
        Entry first = entries.get(0);
        long last = entries.get(entries.size() - 1).end() - 1;
        if (!journal.isDurable()) {
            pace.begin(count); // Otherwise the groups of the log pace what comes.
        }
        Plan plan =
                again != null ? again : relay.plan(first.epoch(), first.batch().firstSequence(), last, number, count);
        start(new PlanRun(relay, plan, again != null, entries, relay.backoff(), new Company(first.epoch())));
    }

    /** What may join a plan that is being processed. */
    private final class Company implements PlanRun.Company {
        private final int epoch;

        Company(int epoch) {
            this.epoch = epoch;
        }

        @Override
        public List<Entry> take(int maxRecords, long maxBytes) {
            if (isBarred()) {
                return List.of();
            }
            readAhead();
            return backlog.takeOf(epoch, maxRecords, maxBytes);
        }

        /** A plan on both sides of a gap would leave no room for another one, and keep the outbox full. */
        @Override
        public boolean isBarred() {
            return backlog.gap().isOpen() || backlog.isApartFrom(epoch);
        }

        @Override
        public MessageBatch look(int number) {
            readAhead();
            return backlog.look(number);
        }

        /** For the next attempt: while a plan is on its way nothing else reads. */
        private void readAhead() {
            if (backlog.isEmpty() && backlog.isOnDisk() && !reader.isReading() && !move.isGoingOn()) {
                read();
            }
        }
    }

    private void start(PlanRun run) {
        running = run;
        run.start()
                .onComplete(done -> relay.finished(this, run, () -> {
                    freed();
                    pump();
                    relay.limit().makeRoom();
                }));
    }

    /**
     * Makes a plan again, as a start does, of what can be read. Not where something behind it was dropped or moved, or something in it
     * was lost before: that would be read again, and counted twice.
     *
     * @return whether it does
     */
    boolean regather(Plan plan, Span span) {
        if (move.isGoingOn() || backlog.gap().isOpen() || !backlog.canRewind()) {
            return false;
        }
        running = null;
        pinned = plan;
        backlog.rewind(span.first(), span.ordinal());
        pump();
        return true;
    }

    /** Its plan is accounted for. */
    private void freed() {
        backlog.gap().hasLeft(keptEnd());
        running = null;
        backlog.losses().accountForHoles();
    }

    // Messages that leave otherwise ----------------------------------------------------------------------------------

    /** Sequence behind what a publisher has or is about to get; 0 if there is no such thing. */
    long keptEnd() {
        PlanRun now = running;
        if (now != null) {
            return now.end();
        }
        return pinned != null ? pinned.last() + 1 : backlog.gatheredEnd();
    }

    /** Whether messages can be dropped now; if not, the lane asks its relay again later. */
    boolean canDrop() {
        return !move.isGoingOn()
                && pinned == null
                && backlog.canDrop()
                && (backlog.gap().isAhead() || backlog.gap().isFree(keptEnd()));
    }

    /** Sequence before which nothing can be dropped. */
    long droppableFrom() {
        return Math.max(keptEnd(), backlog.gap().end());
    }

    /** Messages that no publisher has before a place in the log. */
    long droppable(Journal.Cut at) {
        return at.sequence() < keptEnd() ? 0 : Math.max(0, backlog.droppable(at));
    }

    /**
     * Drops what no publisher has and is before a place in the log.
     *
     * @return messages that were dropped
     */
    long drop(Journal.Cut at) {
        boolean concerned = running != null || backlog.isWaiting();
        if (!concerned || at.sequence() <= backlog.gap().end() || at.sequence() < keptEnd()) {
            return 0;
        }
        long keptEnd = backlog.gap().isAhead() ? backlog.gap().start() : keptEnd();
        long dropped = backlog.drop(at, keptEnd);
        if (dropped >= 0) {
            // Also of a lane that has nothing there: the log would keep all that is behind its cursor for it.
            relay.accounts().dropped(number, keptEnd, dropped, at);
        }
        return Math.max(0, dropped);
    }

    /**
     * Hands what no publisher has to somebody else, a batch at a time; what a publisher has stays.
     *
     * @param to completes when it has a batch
     * @param tried also the plan that was tried and waits to be tried again
     * @return how many messages
     */
    Future<Long> move(Function<MessageBatch, Future<Void>> to, boolean tried) {
        return move.start(to, tried);
    }

    // What a move asks of it -----------------------------------------------------------------------------------------

    /** Whether its next plan was made before. */
    boolean isPinned() {
        return pinned != null;
    }

    /** Whether a plan is on its way, or waits to be tried again. */
    boolean hasPlan() {
        return running != null;
    }

    /** Its plan, if that was tried and waits to be tried again. */
    @Nullable
    PlanRun waitingPlan() {
        return backingOff == null ? null : running;
    }

    /** Its plan, which waits to be tried again, is not tried until what is returned runs. */
    Runnable holdPlan() {
        Runnable again = Objects.requireNonNull(backingOff);
        backingOff = null;
        return again;
    }

    /** Somebody else has its plan. */
    void gaveUpPlan() {
        trouble.forget();
        freed();
    }

    /** In memory a plan is nothing that a later start would find: what waits to be tried again goes with the rest. */
    void abandonPlan() {
        PlanRun waits = waitingPlan();
        if (waits == null || waits.hasDelivered()) {
            return;
        }
        running = null;
        backingOff = null;
        backlog.putBack(waits.entries());
        relay.accounts().abandoned(number);
    }

    /** What it does, for whoever looks for a fault. */
    @Override
    public String toString() {
        return "lane " + number + ": " + (running == null ? "no plan" : running + (backingOff == null ? "" : ", waits"))
                + (pinned == null ? "" : ", pinned " + pinned)
                + (waitingForAge ? ", young" : "")
                + (move.isGoingOn() ? ", moving" : "")
                + "; "
                + backlog;
    }

    /** Those who wait for a delivery hear that there was none. */
    void giveBack(String why) {
        backlog.giveBack(why);
        if (running != null) {
            running.giveBack(why);
        }
    }
}
