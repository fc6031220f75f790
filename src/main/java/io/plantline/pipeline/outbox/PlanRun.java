package io.plantline.pipeline.outbox;

import io.plantline.model.Backoff;
import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.InlineBatch;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.spi.BatchReader;
import io.plantline.spi.Loop;
import io.plantline.spi.PublishBatch;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Sees one plan through: process, publish, repeat what failed, until every message is accounted for. */
final class PlanRun {
    private final Relay relay;
    private final List<Entry> entries;
    private final Backoff backoff;
    private final Company company;
    private final Promise<Void> done = Promise.promise();
    private final Set<Long> filtered = new HashSet<>();
    private final Set<Long> deadLettered = new HashSet<>();
    private final BitSet delivered = new BitSet();
    private final @Nullable Span span;
    private Plan plan;
    private List<MessageBatch> batches;
    private boolean pinned;
    private boolean damaged;
    private int attempts;

    /** What waits in the lane behind a plan that is not fixed by a first attempt to publish it. */
    interface Company {
        Company NONE = new Company() {
            @Override
            public List<Entry> take(int maxRecords, long maxBytes) {
                return List.of();
            }

            @Override
            public boolean isBarred() {
                return true;
            }

            @Override
            public MessageBatch look(int number) {
                return Batches.merge(List.of());
            }
        };

        /** Takes more of it into the plan. */
        List<Entry> take(int maxRecords, long maxBytes);

        /** Whether nothing may join. */
        boolean isBarred();

        /** A message of it, without taking it, another one for each number; none, if nothing is in memory. */
        MessageBatch look(int number);
    }

    /** What became of the plan's source messages. */
    record Result(long delivered, long filtered, long deadLettered) {}

    PlanRun(Relay relay, Plan plan, boolean pinned, List<Entry> entries, Backoff backoff, Company company) {
        this.relay = relay;
        this.plan = plan;
        this.pinned = pinned;
        this.entries = new ArrayList<>(entries);
        this.backoff = backoff;
        this.company = company;
        this.batches = Entry.batches(entries);
        this.span = null;
    }

    /** A run of messages that are read from disk, and only published. */
    PlanRun(Relay relay, Plan plan, boolean pinned, Span span, Backoff backoff) {
        this.relay = relay;
        this.plan = plan;
        this.pinned = pinned;
        this.entries = List.of();
        this.backoff = backoff;
        this.company = Company.NONE;
        this.batches = List.of();
        this.span = span;
    }

    @Override
    public String toString() {
        return plan + (pinned ? "" : " not pinned") + " after " + attempts + " attempts";
    }

    /** Start that took its messages. */
    int epoch() {
        return (int) plan.epoch();
    }

    /** Sequence behind its last message. */
    long end() {
        return span != null ? span.end() : entries.get(entries.size() - 1).end();
    }

    /** When its first message was received, microseconds since 1970. */
    long oldestMicros() {
        if (span != null) {
            return span.oldestMicros();
        }
        return entries.get(0).oldestMicros();
    }

    /** Who waited for the delivery hears of it. */
    void tellSafe() {
        for (Entry entry : entries) {
            if (entry.safe() != null) {
                entry.safe().complete();
            }
        }
    }

    /** Who waits for the delivery hears that there was none. */
    void giveBack(String why) {
        entries.forEach(entry -> entry.giveBack(why));
    }

    /** Whether some of it is accounted for. */
    boolean hasDelivered() {
        return !delivered.isEmpty() || !filtered.isEmpty() || !deadLettered.isEmpty();
    }

    /**
     * Gives its messages to somebody else, with what of it was delivered already; it must not be tried again then.
     *
     * @return how many, once he has them; in memory mode at once, since who sent them waits for him then
     */
    Future<Long> handTo(Function<MessageBatch, Future<Void>> to) {
        if (span != null) {
            BatchReader reader =
                    relay.stored(plan, span, new BitSet(), () -> {}).reader();
            return Loop.run(() -> reader.next()
                            .compose(batch -> batch.count() == 0
                                    ? Future.succeededFuture(false)
                                    : to.apply(batch).map(true)))
                    .map((long) span.count());
        }
        List<Future<Void>> taken = new ArrayList<>();
        long count = 0;
        for (Entry entry : entries) {
            Future<Void> safe = to.apply(entry.batch());
            count += entry.batch().count();
            Promise<Void> told = entry.safe();
            if (told != null) {
                safe.onComplete(told);
            } else {
                taken.add(safe);
            }
        }
        return Future.all(taken).map(count);
    }

    /** Messages as they came from the broker. */
    List<Entry> entries() {
        return entries;
    }

    /** Counted in source messages: one of which nothing was filtered or dead-lettered was delivered. */
    Result result() {
        long sources = span != null ? span.count() : Batches.count(Entry.batches(entries));
        return new Result(sources - filtered.size() - deadLettered.size(), filtered.size(), deadLettered.size());
    }

    /** Completes when every message is accounted for; never fails. */
    Future<Void> start() {
        Processing processing = relay.processing();
        if (processing == null) {
            publish();
        } else {
            new ProcessRun(relay, plan.lane(), processing, backoff, new Source())
                    .start(Batches.merge(batches))
                    .onSuccess(outcome -> {
                        filtered.addAll(outcome.filtered());
                        deadLettered.addAll(outcome.deadLettered());
                        batches = List.of(outcome.output());
                        plan = new Plan(
                                plan.target(),
                                plan.fingerprint(),
                                plan.outbox(),
                                plan.epoch(),
                                plan.first(),
                                lastSequence(),
                                plan.lane(),
                                outcome.output().count());
                        backoff.reset();
                        Relay next = relay.next();
                        if (next == null) {
                            publish();
                        } else {
                            handOver(next, outcome.output());
                        }
                    });
        }
        return done.future();
    }

    /** What was processed is kept before it is published, so that it is processed once. */
    private void handOver(Relay next, MessageBatch output) {
        if (output.count() == 0) {
            done.complete();
            return;
        }
        Result result = result();
        Origin origin = new Origin(lastSequence(), result.delivered(), result.filtered(), result.deadLettered());
        next.takeOver(plan.lane(), Batches.withoutGaps(output), origin).onSuccess(v -> done.complete());
    }

    private long lastSequence() {
        MessageBatch last = entries.get(entries.size() - 1).batch();
        return last.firstSequence() + last.count() - 1;
    }

    /** More messages for a plan that waits for a processor, so that one message alone cannot hold all behind it. */
    private final class Source implements ProcessRun.Absorb {
        @Override
        public List<MessageBatch> more(int maxRecords, long maxBytes) {
            List<Entry> taken = pinned ? List.of() : company.take(maxRecords, maxBytes);
            entries.addAll(taken);
            return Entry.batches(taken);
        }

        @Override
        public boolean isBarred() {
            return company.isBarred();
        }

        @Override
        public MessageBatch look(int number) {
            return company.look(number);
        }

        @Override
        public DeadLetters.Sources sources() {
            return PlanRun.this.sources(Entry.batches(entries));
        }
    }

    private void publish() {
        if (relay.isClosed()) {
            return;
        }
        if (!pinned) {
            relay.pin(plan, () -> {
                pinned = true;
                publish();
            });
            return;
        }
        PublishBatch batch = span != null
                ? relay.stored(plan, span, delivered, () -> relay.context().runOnContext(v -> damaged = true))
                : new InlineBatch(plan, batches, delivered);
        if (batch.count() == delivered.cardinality()) {
            done.complete();
            return;
        }
        relay.throttled(
                plan.lane(),
                batch.sizeInBytes(),
                () -> relay.publish(batch).onSuccess(reply -> published(batch, reply)));
    }

    private void published(PublishBatch batch, PublishReply reply) {
        Failure whole = reply.failure();
        if (whole != null) {
            again(whole);
            return;
        }
        Map<Integer, Failure> refused = reply.verdicts().refused();
        for (int ordinal = 0; ordinal < batch.count(); ordinal++) {
            if (!refused.containsKey(ordinal)) {
                delivered.set(ordinal);
            }
        }
        if (refused.isEmpty()) {
            done.complete();
            return;
        }
        Map<Integer, Failure> rejected = new HashMap<>();
        Failure first = null;
        for (Map.Entry<Integer, Failure> entry : refused.entrySet()) {
            if (entry.getValue().kind() == Failure.Kind.REJECT) {
                rejected.put(entry.getKey(), entry.getValue());
            } else {
                first = entry.getValue();
            }
        }
        Failure rest = first;
        if (rejected.isEmpty()) {
            again(rest == null ? Failure.retry("unknown", "refused without a reason") : rest);
        } else if (!relay.deadLetters().exist()) {
            again(noPlace(rejected.values().iterator().next()));
        } else {
            deadLetter(batch, rejected, rest);
        }
    }

    /** A refused message without a place for dead letters is never dropped: it holds the queue, and says so. */
    static Failure noPlace(Failure rejected) {
        return Failure.operator(
                rejected.code(),
                rejected.detail()
                        + "; there is no dead-letter-target and no data-directory, so the message holds the queue");
    }

    private void deadLetter(PublishBatch batch, Map<Integer, Failure> rejected, @Nullable Failure rest) {
        Map<Long, Failure> bySequence = new HashMap<>();
        MessageBatch.Builder builder = new MessageBatch.Builder(1024);
        batch.forEach((ordinal, message) -> {
                    Failure failure = rejected.get(ordinal);
                    if (failure != null) {
                        bySequence.put(message.sequence(), failure);
                        if (span != null) {
                            builder.addCopy(message);
                        }
                    }
                })
                .compose(v -> relay.deadLetters()
                        .send(
                                "publish",
                                span == null ? new Source().sources() : sources(List.of(builder.build())),
                                bySequence))
                .onSuccess(v -> {
                    deadLettered.addAll(bySequence.keySet());
                    rejected.keySet().forEach(delivered::set);
                    if (rest == null) {
                        publish();
                    } else {
                        again(rest);
                    }
                })
                .onFailure(e -> again(Failure.of(e)));
    }

    private DeadLetters.Sources sources(List<MessageBatch> some) {
        return new DeadLetters.Sources(some, plan::messageId, relay.isEarlier(epoch()));
    }

    private void again(Failure failure) {
        attempts++;
        relay.failing(plan.lane(), failure, attempts);
        relay.later(plan.lane(), backoff.nextMillis(), this::publishAgain);
    }

    private void publishAgain() {
        Span damagedSpan = damaged ? span : null;
        if (damagedSpan == null || !relay.regather(plan, damagedSpan)) {
            publish();
        }
    }
}
