package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.Backoff;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the batches of one target, slices them into plans, one in flight per lane, and sees each plan through. Nothing waits
 * for a plan to fill, unless the configuration says so: what is there when a lane is free leaves, and while it is on its way
 * more gathers.
 */
final class Relay {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    private static final long READ_AGAIN_MILLIS = 1_000;

    private final ContextInternal context;
    private final TargetDefinition target;
    private final Journal journal;
    private final String outboxId;
    private final TargetLedger ledger;
    private final Lane[] lanes;
    private final Publishing publishing;
    private final @Nullable Processing processing;
    private final DeadLetters deadLetters;
    private final RandomGenerator random;
    private final List<Promise<Void>> waitingForEmpty = new ArrayList<>();
    private final ArrayDeque<Runnable> waitingForSpace = new ArrayDeque<>();
    private long nextSequence;
    private int storing;
    private long storingBytes;
    private boolean dropping;
    private boolean stopping;
    private boolean closed;

    Relay(
            ContextInternal context,
            TargetDefinition target,
            Journal journal,
            List<ProcessorDefinition> processors,
            String outboxId,
            TargetLedger ledger,
            @Nullable Outbox deadLetterOutbox,
            RandomGenerator random) {
        this.context = context;
        this.target = target;
        this.journal = journal;
        this.outboxId = outboxId;
        this.ledger = ledger;
        this.random = random;
        this.nextSequence = journal.nextSequence();
        this.publishing = new Publishing(context.owner().eventBus(), target);
        this.processing =
                processors.isEmpty() ? null : new Processing(context.owner().eventBus(), processors);
        this.deadLetters = new DeadLetters(target.name(), deadLetterOutbox);
        this.lanes = new Lane[journal.lanes()];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new Lane(this, target, journal, i);
        }
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
        } else if (usedBytes() > target.limits().maxBytes() || !waitingForSpace.isEmpty()) {
            full(lane, batch, identifiers, safe);
        } else {
            dropping = false;
            store(lane, batch, identifiers, safe);
        }
    }

    private void full(int lane, MessageBatch batch, Identifiers identifiers, Promise<Void> safe) {
        if (target.limits().onFull() == TargetDefinition.OnFull.DROP_NEWEST) {
            if (!dropping) {
                LOG.error("OUTBOX-FULL: the outbox of {} is full, new messages are dropped and counted", target.name());
            }
            dropping = true;
            journal.dropped(batch.count());
            ledger.dropped(batch.count());
            safe.complete();
            return;
        }
        if (waitingForSpace.isEmpty()) {
            LOG.error(
                    "OUTBOX-FULL: the outbox of {} has {} bytes, its limit; sessions that route there wait",
                    target.name(),
                    usedBytes());
        }
        ledger.full(true);
        waitingForSpace.add(() -> store(lane, batch, identifiers, safe));
    }

    /** On disk, and on the way there. */
    private long usedBytes() {
        return journal.usedBytes() + storingBytes;
    }

    private void spaceFreed() {
        while (!waitingForSpace.isEmpty() && usedBytes() <= target.limits().maxBytes()) {
            waitingForSpace.remove().run();
            if (waitingForSpace.isEmpty()) {
                ledger.full(false);
                LOG.info("the outbox of {} has room again", target.name());
            }
        }
    }

    private void store(int number, MessageBatch batch, Identifiers identifiers, Promise<Void> safe) {
        MessageBatch numbered = batch.numberedFrom(nextSequence);
        nextSequence += batch.count();
        Lane lane = lanes[number];
        long ordinal = lane.nextOrdinal(batch.count());
        storing++;
        storingBytes += batch.sizeInBytes();
        journal.append(number, ordinal, numbered, identifiers, () -> {
            storing--;
            storingBytes -= numbered.sizeInBytes();
            spaceFreed();
            ledger.accepted(numbered.count());
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
                : ledger.snapshot().waiting() == 0;
        if (done) {
            waitingForEmpty.forEach(Promise::tryComplete);
            waitingForEmpty.clear();
        }
    }

    /** What waits only here is given back: its senders will hear that it is not safe. */
    Future<Void> close() {
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

    Publishing publishing() {
        return publishing;
    }

    @Nullable
    Processing processing() {
        return processing;
    }

    DeadLetters deadLetters() {
        return deadLetters;
    }

    boolean isClosed() {
        return closed;
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

    /** Writes a plan down before its first attempt, where what it makes is named by it. */
    void pin(Plan plan, Runnable pinned) {
        if (target.namesByPlan()) {
            journal.plan(plan, pinned);
        } else {
            pinned.run();
        }
    }

    /** Tells the operator once when something starts to fail, not at each attempt. */
    void failing(int number, Failure failure, int attempts) {
        ledger.retried();
        boolean operator = failure.kind() != Failure.Kind.RETRY;
        if (operator) {
            ledger.held(number, failure.code());
        }
        if (lanes[number].troubledBy(failure.kind() + failure.code())) {
            if (operator) {
                LOG.error("TARGET-HELD: {} waits for somebody to act: {}", target.name(), failure);
            } else {
                LOG.warn("TARGET-RETRY: {} fails, trying again: {}", target.name(), failure);
            }
        } else if (attempts % 20 == 0) {
            LOG.warn("TARGET-RETRY: {} still fails after {} attempts: {}", target.name(), attempts, failure);
        }
    }

    /** Tries again after a while; not any more when the relay is about to stop and another start can do it. */
    void later(int number, long millis, Runnable again) {
        lanes[number].backingOff(true);
        if (stopping) {
            tellDrained();
        }
        context.setTimer(millis, id -> {
            if (!stopping && !closed) {
                lanes[number].backingOff(false);
                again.run();
            }
        });
    }

    void finished(Lane lane, PlanRun run) {
        if (closed) {
            return;
        }
        if (lane.recoveredFromTrouble()) {
            LOG.info("TARGET-RECOVERED: {} delivers again", target.name());
        }
        PlanRun.Result result = run.result();
        long last = run.entries().get(run.entries().size() - 1).end() - 1;
        journal.commit(lane.number(), last, result, this::spaceFreed);
        ledger.done(lane.number(), result.delivered(), result.filtered(), result.deadLettered());
        for (Entry entry : run.entries()) {
            if (entry.safe() != null) {
                entry.safe().complete();
            }
        }
        tellDrained();
    }

    void lost(Lane lane, Entry hole) {
        LOG.error("OUTBOX-QUARANTINED: damage on disk has taken {} messages for {}", hole.lost(), target.name());
        journal.quarantined(lane.number(), hole.lost(), hole.batch().firstSequence());
        ledger.quarantined(hole.lost());
    }

    void cannotRead(Lane lane, Throwable cause) {
        if (lane.troubledBy("OUTBOX-READ")) {
            LOG.error(
                    "OUTBOX-READ: the outbox of {} cannot be read, trying again: {}", target.name(), cause.toString());
        }
        context.setTimer(READ_AGAIN_MILLIS, id -> lane.pump());
    }
}
