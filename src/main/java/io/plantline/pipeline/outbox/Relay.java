package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.Backoff;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the batches of one target, slices them into plans, one in flight per lane, and sees each plan through. In memory
 * mode nothing waits for a plan to fill, unless the configuration says so: what is there when a lane is free leaves, and
 * while it is on its way more gathers.
 */
final class Relay {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private final ContextInternal context;
    private final TargetDefinition target;
    private final String outboxId;
    private final TargetLedger ledger;
    private final Lane[] lanes;
    private final Publishing publishing;
    private final @Nullable Processing processing;
    private final DeadLetters deadLetters;
    private final RandomGenerator random;
    private final List<Promise<Void>> waitingForEmpty = new ArrayList<>();
    private long nextSequence = 1;
    private long waiting;
    private boolean closed;

    Relay(
            ContextInternal context,
            TargetDefinition target,
            List<ProcessorDefinition> processors,
            String outboxId,
            TargetLedger ledger,
            @Nullable Outbox deadLetterOutbox,
            RandomGenerator random) {
        this.context = context;
        this.target = target;
        this.outboxId = outboxId;
        this.ledger = ledger;
        this.random = random;
        this.publishing = new Publishing(context.owner().eventBus(), target);
        this.processing =
                processors.isEmpty() ? null : new Processing(context.owner().eventBus(), processors);
        this.deadLetters = new DeadLetters(target.name(), deadLetterOutbox);
        this.lanes = new Lane[target.lanes()];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new Lane(i);
        }
    }

    /** A batch that somebody waits for. */
    record Entry(MessageBatch batch, Promise<Void> safe, long acceptedNanos) {}

    void accept(int lane, MessageBatch batch, Promise<Void> safe) {
        if (closed) {
            safe.fail("the outbox of " + target.name() + " is closed");
            return;
        }
        MessageBatch numbered = batch.numberedFrom(nextSequence);
        nextSequence += batch.count();
        waiting += batch.count();
        ledger.accepted(batch.count());
        lanes[lane].add(new Entry(numbered, safe, System.nanoTime()));
    }

    void whenEmpty(Promise<Void> empty) {
        if (waiting == 0) {
            empty.complete();
        } else {
            waitingForEmpty.add(empty);
            for (Lane lane : lanes) {
                lane.pump();
            }
        }
    }

    /** What waits is given back: its senders will hear that it is not safe. */
    void close() {
        closed = true;
        for (Lane lane : lanes) {
            lane.giveBack();
        }
    }

    // What a run asks of its relay ------------------------------------------------------------------------------------

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

    /** Tells the operator once when something starts to fail, not at each attempt. */
    void failing(int lane, Failure failure, int attempts) {
        ledger.retried();
        boolean operator = failure.kind() != Failure.Kind.RETRY;
        if (operator) {
            ledger.held(lane, failure.code());
        }
        String now = failure.kind() + failure.code();
        if (!now.equals(lanes[lane].trouble)) {
            lanes[lane].trouble = now;
            if (operator) {
                LOG.error("TARGET-HELD: {} waits for somebody to act: {}", target.name(), failure);
            } else {
                LOG.warn("TARGET-RETRY: {} fails, trying again: {}", target.name(), failure);
            }
        } else if (attempts % 20 == 0) {
            LOG.warn("TARGET-RETRY: {} still fails after {} attempts: {}", target.name(), attempts, failure);
        }
    }

    /** One lane: a queue, and at most one plan in flight. */
    private final class Lane {
        private final int number;
        private final ArrayDeque<Entry> queue = new ArrayDeque<>();
        private @Nullable PlanRun running;
        private @Nullable String trouble;
        private long queuedRecords;
        private long queuedBytes;
        private boolean waitingForAge;

        Lane(int number) {
            this.number = number;
        }

        void add(Entry entry) {
            queue.add(entry);
            queuedRecords += entry.batch().count();
            queuedBytes += entry.batch().sizeInBytes();
            pump();
        }

        /** Nanoseconds until what is queued may leave; none or less: now. */
        private long unripeNanos() {
            Entry head = queue.peek();
            boolean full = queuedRecords >= target.maxRecords() || queuedBytes >= target.maxBytes();
            return head == null || full || !waitingForEmpty.isEmpty()
                    ? 0
                    : target.maxAge().toNanos() - (System.nanoTime() - head.acceptedNanos());
        }

        void pump() {
            if (running != null || queue.isEmpty() || closed || (waitingForAge && unripeNanos() > 0)) {
                return;
            }
            long unripe = unripeNanos();
            if (unripe > 0) {
                waitingForAge = true;
                context.setTimer(1 + unripe / 1_000_000, id -> {
                    waitingForAge = false;
                    pump();
                });
                return;
            }
            List<Entry> entries = take(target.maxRecords(), target.maxBytes());
            int count =
                    entries.stream().mapToInt(entry -> entry.batch().count()).sum();
            long first = entries.get(0).batch().firstSequence();
            MessageBatch lastBatch = entries.get(entries.size() - 1).batch();
            long last = lastBatch.firstSequence() + lastBatch.count() - 1;
            Plan plan = new Plan(target.name(), target.fingerprint(), outboxId, 0, first, last, number, count);
            PlanRun run = new PlanRun(
                    Relay.this, plan, entries, new Backoff(target.retryMin(), target.retryMax(), random), this::take);
            running = run;
            run.start().onComplete(done -> finished(run));
        }

        private List<Entry> take(int maxRecords, long maxBytes) {
            List<Entry> taken = new ArrayList<>();
            int records = 0;
            long bytes = 0;
            Entry next = queue.peek();
            while (next != null
                    && (taken.isEmpty()
                            || (records + next.batch().count() <= maxRecords
                                    && bytes + next.batch().sizeInBytes() <= maxBytes))) {
                taken.add(next);
                records += next.batch().count();
                bytes += next.batch().sizeInBytes();
                queuedRecords -= next.batch().count();
                queuedBytes -= next.batch().sizeInBytes();
                queue.poll();
                next = queue.peek();
            }
            return taken;
        }

        private void finished(PlanRun run) {
            running = null;
            if (closed) {
                return;
            }
            if (trouble != null) {
                LOG.info("TARGET-RECOVERED: {} delivers again", target.name());
                trouble = null;
            }
            PlanRun.Result result = run.result();
            ledger.done(number, result.delivered(), result.filtered(), result.deadLettered());
            waiting -= result.delivered() + result.filtered() + result.deadLettered();
            for (Entry entry : run.entries()) {
                entry.safe().complete();
            }
            if (waiting == 0) {
                waitingForEmpty.forEach(Promise::tryComplete);
                waitingForEmpty.clear();
            }
            pump();
        }

        void giveBack() {
            List<Entry> all = new ArrayList<>(queue);
            queue.clear();
            if (running != null) {
                all.addAll(running.entries());
            }
            all.forEach(entry -> entry.safe().tryFail("the outbox of " + target.name() + " is closed"));
        }
    }
}
