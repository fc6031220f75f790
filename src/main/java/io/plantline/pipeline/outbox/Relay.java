package io.plantline.pipeline.outbox;

import io.plantline.config.TargetDefinition;
import io.plantline.model.Backoff;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.spi.PublishBatch;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Takes the batches of one target, slices them into plans, one in flight per lane, and sees each plan through. Nothing waits
 * for a plan to fill, unless the configuration says so or many messages come ({@link Pace}): what is there when a lane is free
 * leaves, and while it is on its way more gathers.
 */
final class Relay {
    private static final long READ_AGAIN_MILLIS = 1_000;

    private final ContextInternal context;
    private TargetDefinition target;
    private final Journal journal;
    private final String outboxId;
    private final Books books;
    private final Lane[] lanes;
    private final SizeLimit limit;
    private final Accounts accounts;
    private final Publishing publishing;
    private final @Nullable Processing processing;
    private final @Nullable Relay next;
    private final DeadLetters deadLetters;
    private final RandomGenerator random;
    private final List<Promise<Void>> waitingForEmpty = new ArrayList<>();
    private long nextSequence;
    private int storing;
    private boolean stopping;
    private boolean closed;
    private Throttle throttle;

    /**
     * A relay.
     *
     * @param publishing who delivers
     * @param processing what happens to messages first; null: nothing
     * @param next who publishes what was processed; null: this one does
     */
    Relay(
            ContextInternal context,
            TargetDefinition target,
            Journal journal,
            String outboxId,
            Books books,
            Publishing publishing,
            @Nullable Processing processing,
            @Nullable Relay next,
            DeadLetters deadLetters,
            RandomGenerator random) {
        this.context = context;
        this.target = target;
        this.journal = journal;
        this.outboxId = outboxId;
        this.books = books;
        this.random = random;
        this.nextSequence = journal.nextSequence();
        this.publishing = publishing;
        this.processing = processing;
        this.next = next;
        this.deadLetters = deadLetters;
        this.throttle = new Throttle(target.limits().bytesPerSecond(), System.nanoTime());
        this.lanes = new Lane[journal.lanes()];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new Lane(this, journal, i, new LaneTrouble(target.name(), books, i));
        }
        HeapShare.lanes(lanes.length);
        this.limit = new SizeLimit(this, journal, books, lanes, next == null ? null : next.limit);
        this.accounts = new Accounts(this, journal, books, limit);
    }

    /** Goes on with what an earlier start has left. */
    void start() {
        for (Lane lane : lanes) {
            lane.pump();
        }
    }

    void accept(int lane, MessageBatch batch, Identifiers identifiers, Promise<Void> safe) {
        if (closed) {
            safe.fail("the outbox of " + target.name() + " is closed");
        } else {
            limit.admit(batch.count(), () -> store(lane, batch, identifiers, null, safe), safe);
        }
    }

    /** The target is what it was, and is to be treated otherwise from now on; what waits is tried again at once. */
    void redefine(TargetDefinition next) {
        if (next.limits().bytesPerSecond() != target.limits().bytesPerSecond()) {
            throttle = new Throttle(next.limits().bytesPerSecond(), System.nanoTime());
        }
        target = next;
        for (Lane lane : lanes) {
            lane.redefined();
        }
        limit.freed();
        limit.makeRoom();
    }

    /** Why something failed may be over: what waits to be tried again is tried at once. */
    void tryAgain() {
        for (Lane lane : lanes) {
            lane.tryAgain();
        }
    }

    TargetDefinition target() {
        return target;
    }

    /** On disk, and on the way there. */
    long usedBytes() {
        return limit.usedBytes();
    }

    /** Keeps what a processor has made, however full it is: what it was made of takes no more room then. */
    Future<Void> takeOver(int lane, MessageBatch batch, @Nullable Origin origin) {
        Promise<Void> safe = context.promise();
        if (closed) {
            safe.fail("the outbox of " + target.name() + " is closed");
        } else {
            store(lane, batch, Identifiers.NONE, origin, safe);
        }
        return safe.future();
    }

    private void store(
            int number, MessageBatch batch, Identifiers identifiers, @Nullable Origin origin, Promise<Void> safe) {
        MessageBatch numbered = batch.numberedFrom(nextSequence);
        nextSequence += batch.count();
        Lane lane = lanes[number];
        long ordinal = lane.nextOrdinal(batch.count());
        storing++;
        limit.storing(batch.sizeInBytes());
        journal.append(number, ordinal, numbered, identifiers, origin, () -> {
            storing--;
            limit.storing(-numbered.sizeInBytes());
            limit.freed();
            books.accepted(numbered.count());
            boolean durable = journal.isDurable();
            if (durable) {
                safe.complete();
            }
            lane.add(new Entry(numbered, journal.epoch(), 0, durable ? null : safe, System.nanoTime()), ordinal);
            if (stopping) {
                tellDrained();
            }
        });
    }

    /** Completes when nothing waits any more or, with a durable journal, when nothing is on its way. */
    void drain(Promise<Void> drained) {
        waitingForEmpty.add(drained);
        if (journal.isDurable()) {
            stopping = true;
        }
        tellDrained();
        for (Lane lane : lanes) {
            lane.pump();
        }
    }

    private void tellDrained() {
        boolean done = journal.isDurable()
                ? storing == 0 && Arrays.stream(lanes).allMatch(Lane::isIdle)
                : books.nothingWaits();
        if (done) {
            waitingForEmpty.forEach(Promise::tryComplete);
            waitingForEmpty.clear();
        }
    }

    /** What waits only here is given back: its senders will hear that it is not safe. */
    Future<Void> close() {
        if (!closed) {
            HeapShare.lanes(-lanes.length);
        }
        closed = true;
        for (Lane lane : lanes) {
            lane.giveBack("the outbox of " + target.name() + " is closed");
        }
        return journal.close();
    }

    // What lanes and runs ask of their relay --------------------------------------------------------------------------

    ContextInternal context() {
        return context;
    }

    Future<PublishReply> publish(PublishBatch batch) {
        long start = System.nanoTime();
        return publishing.publish(batch).onComplete(done -> books.attempted(System.nanoTime() - start));
    }

    @Nullable
    Processing processing() {
        return processing;
    }

    /** Who publishes what was processed; null: whoever processed it. */
    @Nullable
    Relay next() {
        return next;
    }

    Accounts accounts() {
        return accounts;
    }

    SizeLimit limit() {
        return limit;
    }

    DeadLetters deadLetters() {
        return deadLetters;
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether messages are on their way to the journal. */
    boolean isStoring() {
        return storing > 0;
    }

    /** No plan is started any more. */
    boolean isStopping() {
        return stopping;
    }

    /** Somebody waits for the lanes to be empty, so nothing waits for company. */
    boolean isDraining() {
        return !waitingForEmpty.isEmpty();
    }

    Backoff backoff() {
        return new Backoff(target.retryMin(), target.retryMax(), random);
    }

    Plan plan(int epoch, long first, long last, int lane, int count) {
        return new Plan(target.name(), target.fingerprint(), outboxId, epoch, first, last, lane, count);
    }

    /** Whether messages of a start were there before this one. */
    boolean isEarlier(int epoch) {
        return epoch < journal.epoch();
    }

    /** When the oldest message that is in memory was received, microseconds since 1970; 0 if none is. */
    long oldestMicros() {
        return Arrays.stream(lanes)
                .mapToLong(Lane::oldestMicros)
                .filter(micros -> micros > 0)
                .min()
                .orElse(0);
    }

    /** Whether messages are acknowledged when they are on disk, and not only when they have left. */
    boolean isDurable() {
        return journal.isDurable();
    }

    /** Whether a plan of this relay may be read from disk while it is published. */
    boolean canLeaveOnDisk() {
        return journal.isDurable() && next == null && processing == null && target.namesByPlan();
    }

    PublishBatch stored(Plan plan, Span span, BitSet delivered, Runnable damaged) {
        return new StoredBatch(plan, span, journal, delivered, damaged);
    }

    /** Damage has taken some of a plan since it was made: it is made again of what is left; false: not now. */
    boolean regather(Plan plan, Span span) {
        return lanes[plan.lane()].regather(plan, span);
    }

    /** Writes a plan down before its first attempt, where what it makes is named by it. */
    void pin(Plan plan, Runnable pinned) {
        if (next == null && target.namesByPlan()) {
            journal.plan(plan, pinned);
        } else {
            pinned.run();
        }
    }

    /** Runs {@code leave} when so many bytes may leave. */
    void throttled(int lane, long bytes, Runnable leave) {
        long millis = throttle.take(bytes, System.nanoTime());
        if (millis == 0) {
            leave.run();
        } else {
            later(lane, millis, leave);
        }
    }

    /** An attempt has failed. */
    void failing(int number, Failure failure, int attempts) {
        lanes[number].trouble().failing(failure, attempts);
    }

    /** Tries again after a while; not any more when the relay is about to stop and another start can do it. */
    void later(int number, long millis, Runnable again) {
        Lane lane = lanes[number];
        Runnable once = () -> {
            if (!stopping && !closed) {
                again.run();
            }
        };
        lane.backOff(once);
        if (stopping) {
            tellDrained();
        }
        context.setTimer(millis, id -> {
            if (!stopping) {
                lane.tryAgain(once);
            }
        });
    }

    /** A plan is through; {@code free} lets the lane go on. */
    void finished(Lane lane, PlanRun run, Runnable free) {
        if (closed) {
            return;
        }
        lane.trouble().over();
        PlanRun.Result result = run.result();
        long last = run.end() - 1;
        if (next == null) {
            journal.commit(lane.number(), last, result, false, limit::freed);
            settle(lane, run, result, free);
        } else {
            // One plan of a lane at most may be in the next log and still be taken for waiting here: its origin says
            // so.
            journal.commit(lane.number(), last, result, true, () -> {
                settle(lane, run, result, free);
                limit.freed();
            });
        }
    }

    private void settle(Lane lane, PlanRun run, PlanRun.Result result, Runnable free) {
        books.done(lane.number(), result);
        run.tellSafe();
        free.run();
        tellDrained();
    }

    /**
     * Hands what no publisher has to somebody else; completes with how many messages.
     *
     * @param tried also plans that were tried and wait to be tried again
     */
    Future<Long> move(BiFunction<Integer, MessageBatch, Future<Void>> to, boolean tried) {
        List<Future<Long>> moved = new ArrayList<>();
        for (Lane lane : lanes) {
            moved.add(lane.move(batch -> to.apply(lane.number(), batch), tried));
        }
        return Future.join(moved)
                .map(v -> moved.stream().mapToLong(Future::result).sum());
    }

    @Override
    public String toString() {
        return target.name() + (stopping ? " stopping" : "") + (closed ? " closed" : "") + " " + Arrays.toString(lanes);
    }

    void cannotRead(Lane lane, Throwable cause) {
        lane.trouble().unreadable(cause);
        context.setTimer(READ_AGAIN_MILLIS, id -> lane.pump());
    }
}
