package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.OnContext;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.Log;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.internal.ContextInternal;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The outbox of one target. With a folder for its log a batch is safe once it is there; without one (memory mode) nothing is
 * stored, and a batch is safe once its target has it: the broker keeps what is not acknowledged.
 *
 * <p>A target with processors has two logs and two relays: the first processes what came from the broker, and the last
 * publishes what came of it, so that no retry and no crash has a message processed again that is there already.
 */
public final class OutboxVerticle extends VerticleBase implements Outbox {
    /** Folder of the dead letters, in that of the log. */
    static final String DEAD = "dead";

    private TargetDefinition target;
    private List<ProcessorDefinition> processors;
    private final Storage storage;
    private final TargetLedger ledger;
    private final Function<String, @Nullable Outbox> others;
    private final Reach reach;
    private @Nullable Elsewhere elsewhere;
    private @Nullable Processing process;
    private @Nullable Relay first;
    private @Nullable Relay last;
    private @Nullable Journal journal;
    private @Nullable DeadLetterLog deadLetterLog;

    /** An outbox whose node does everything itself. */
    public OutboxVerticle(
            TargetDefinition target,
            List<ProcessorDefinition> processors,
            Storage storage,
            TargetLedger ledger,
            Function<String, @Nullable Outbox> others) {
        this(target, processors, storage, ledger, others, Reach.NODE);
    }

    /**
     * An outbox.
     *
     * @param processors of the target, in order
     * @param others outboxes by target name, for dead letters
     * @param reach where it finds publishers and processors
     */
    public OutboxVerticle(
            TargetDefinition target,
            List<ProcessorDefinition> processors,
            Storage storage,
            TargetLedger ledger,
            Function<String, @Nullable Outbox> others,
            Reach reach) {
        this.reach = reach;
        this.target = target;
        this.processors = List.copyOf(processors);
        this.storage = storage;
        this.ledger = ledger;
        this.others = others;
    }

    @Override
    public Future<?> start() {
        ContextInternal own = (ContextInternal) context;
        if (reach.isNode()) {
            return open(own);
        }
        Elsewhere away = new Elsewhere(own);
        elsewhere = away;
        Stream<String> asked = Stream.concat(
                Stream.of(Addresses.publisher(target.name(), target.fingerprint())),
                processors.stream().map(step -> Addresses.processor(step.name(), step.fingerprint())));
        return away.start(asked, () -> relays().forEach(Relay::tryAgain)).compose(v -> open(own));
    }

    private Future<?> open(ContextInternal own) {
        Processing processing = processors.isEmpty()
                ? null
                : new Processing(own.owner().eventBus(), processors, reach.processesHere() ? null : elsewhere);
        process = processing;
        if (storage.folder().isEmpty()) {
            DeadLetters letters = deadLetters(null);
            first = last = relay(new MemoryJournal(target.lanes()), Books.Part.ALL, processing, null, letters);
            return Future.succeededFuture();
        }
        Path folder = storage.folder().get();
        DiskTrouble trouble = new DiskTrouble(target.name(), ledger);
        DeadLetterLog dead = new DeadLetterLog(
                own,
                target.name(),
                folder.resolve(DEAD),
                storage.disks(),
                () -> target.limits().deadLetterBytes(),
                trouble);
        deadLetterLog = dead;
        DeadLetters letters = deadLetters(dead);
        return own.executeBlocking(() -> TargetLogs.open(
                        target,
                        processing != null,
                        folder,
                        storage.disks(),
                        storage.minFreeBytes(),
                        trouble,
                        work -> own.runOnContext(v -> work.run())))
                .compose(logs -> {
                    ledger.resume(logs.totals());
                    Books.Part part = logs.raw().isPresent() ? Books.Part.LAST : Books.Part.ALL;
                    last = relay(journal(logs.ready()), part, null, null, letters);
                    first = logs.raw()
                            .map(raw -> relay(journal(raw), Books.Part.FIRST, processing, last, letters))
                            .orElse(last);
                    return dead.openIfThere();
                });
    }

    private DeadLetters deadLetters(@Nullable DeadLetterLog log) {
        return new DeadLetters(
                target.name(),
                storage.configuration(),
                () -> target.deadLetterTarget().map(others).orElse(null),
                log);
    }

    private Relay relay(
            Journal kept,
            Books.Part part,
            @Nullable Processing processing,
            @Nullable Relay next,
            DeadLetters deadLetters) {
        journal = kept; // The last one to be made takes what comes from the broker.
        return new Relay(
                (ContextInternal) context,
                target,
                kept,
                storage.outboxId(),
                new Books(ledger, part),
                new Publishing(context.owner().eventBus(), target, reach.publishesHere() ? null : elsewhere),
                processing,
                next,
                deadLetters,
                new SecureRandom());
    }

    private Journal journal(Log log) {
        return new DiskJournal((ContextInternal) context, log, target.name(), target.fingerprint(), storage.outboxId());
    }

    /** Goes on with what an earlier start has left, when every outbox is open. */
    public void resume() {
        for (Relay relay : relays()) {
            context.runOnContext(v -> relay.start());
        }
    }

    @Override
    public int lanes() {
        return journal == null ? target.lanes() : journal.lanes();
    }

    @Override
    public Future<Void> append(int lane, MessageBatch batch, Identifiers identifiers) {
        return onRelay((open, safe) -> open.accept(lane, batch, identifiers, safe));
    }

    @Override
    public Future<Void> takeBack(List<MessageBatch> letters) {
        return onContext(() -> {
            Relay open = first;
            if (open == null || !open.limit().hasRoom()) {
                return Future.failedFuture(Failure.operator(
                                "outbox-full",
                                "the outbox of " + target.name() + " has no room; nothing more goes back into it")
                        .asException());
            }
            List<Future<Void>> taken = new ArrayList<>();
            for (MessageBatch letter : letters) {
                taken.add(open.takeOver(Outbox.laneOf(letter, lanes()), letter, null));
            }
            return Future.all(taken).mapEmpty();
        });
    }

    @Override
    public Future<Void> release(Identifiers identifiers) {
        Journal open = journal;
        return open == null
                ? Future.succeededFuture()
                : onRelay((relay, released) -> open.release(identifiers, released::complete));
    }

    @Override
    public Future<Unreleased> stored(long generation) {
        Journal open = journal;
        return open == null
                ? Future.succeededFuture(new Unreleased())
                : this.<Unreleased>onContext(promise -> promise.complete(open.unreleased(generation)));
    }

    private Future<Void> onRelay(BiConsumer<Relay, Promise<Void>> work) {
        Relay open = first;
        return open == null
                ? Future.failedFuture("the outbox of " + target.name() + " is not open")
                : this.<Void>onContext(promise -> work.accept(open, promise));
    }

    /** Runs here what others asked for; the future completes where they are. */
    private <T> Future<T> onContext(Consumer<Promise<T>> work) {
        ContextInternal caller = ContextInternal.current();
        Promise<T> promise = caller == null ? Promise.promise() : caller.promise();
        if (caller == context) {
            work.accept(promise);
        } else {
            context.runOnContext(v -> work.accept(promise));
        }
        return promise.future();
    }

    /**
     * The target is what it was, as its fingerprint says, and is to be treated otherwise from now on; what has failed is tried
     * again at once. Lanes of what waits stay as they are.
     */
    public Future<Void> redefine(TargetDefinition next, List<ProcessorDefinition> steps) {
        return onContext(promise -> {
            target = next;
            processors = List.copyOf(steps);
            if (process != null) {
                process.redefine(processors);
            }
            relays().forEach(relay -> relay.redefine(next));
            promise.complete();
        });
    }

    /**
     * If somebody must act before its messages can be delivered: hands those that no publisher has to another definition of the
     * target. What was processed goes there only if it would be processed in the same way.
     *
     * @return how many messages
     */
    public Future<Long> moveTo(OutboxVerticle other) {
        return handOver(handover -> ledger.isHeld() ? handover.to(other, false) : Future.succeededFuture(0L));
    }

    /**
     * Hands what waits to another outbox, by command. What was processed goes there only if it would be processed in the same
     * way there, or not at all.
     *
     * @param tried also what was tried and waits to be tried again: what of it was delivered already will come again
     * @return how many messages
     */
    public Future<Long> retarget(OutboxVerticle other, boolean tried) {
        return handOver(handover -> handover.to(other, tried));
    }

    /**
     * Forgets what waits, by command.
     *
     * @param tried also what was tried and waits to be tried again
     * @return how many messages
     */
    public Future<Long> purge(boolean tried) {
        return handOver(handover -> handover.toNobody(tried));
    }

    private Future<Long> handOver(Function<Handover, Future<Long>> how) {
        return onContext(() -> first == null || last == null
                ? Future.succeededFuture(0L)
                : how.apply(new Handover(context, processors, first, last)));
    }

    /** What its messages pass through, in order. */
    List<ProcessorDefinition> processors() {
        return processors;
    }

    /** Takes messages that were processed already. */
    Future<Void> takeProcessed(int lane, MessageBatch batch) {
        return onContext(() -> {
            Relay ready = last;
            return ready == null
                    ? Future.failedFuture("the outbox of " + target.name() + " is not open")
                    : ready.takeOver(Math.min(lane, lanes() - 1), Batches.withoutGaps(batch), null)
                            .onSuccess(v -> ledger.accepted(batch.count()));
        });
    }

    /** Completes when nothing waits any more; with a log, when nothing is on its way. */
    public Future<Void> drain() {
        return each(Relay::drain);
    }

    @Override
    public Future<?> stop() {
        return each((relay, closed) -> relay.close().onComplete(closed))
                .eventually(() -> deadLetterLog == null ? Future.succeededFuture() : deadLetterLog.close())
                .eventually(() -> elsewhere == null ? Future.succeededFuture() : elsewhere.stop());
    }

    /** What it does, for whoever looks for a fault. */
    @Override
    public String toString() {
        return relays().toString();
    }

    /** How it is, now. */
    public Future<OutboxReport> report() {
        return onContext(() -> {
            TargetLedger.Snapshot books = ledger.snapshot();
            List<Relay> open = relays();
            return Future.succeededFuture(new OutboxReport(
                    books.target(),
                    target.fingerprint(),
                    books.totals(),
                    books.heldBecause(),
                    lanes(),
                    open.isEmpty() ? 0 : open.get(0).usedBytes(),
                    open.stream()
                            .mapToLong(Relay::oldestMicros)
                            .filter(micros -> micros > 0)
                            .min()
                            .orElse(0),
                    deadLetterLog == null ? 0 : deadLetterLog.count()));
        });
    }

    /** Whether nothing in it is needed any more: no message, no dead letter, no packet identifier. */
    public Future<Boolean> isDone() {
        return onContext(() -> {
            Journal kept = journal;
            return Future.succeededFuture(ledger.snapshot().waiting() == 0
                    && relays().stream().noneMatch(Relay::isStoring)
                    && (kept == null || !kept.hasIdentifiers())
                    && (deadLetterLog == null || deadLetterLog.isEmpty()));
        });
    }

    /** The oldest of its dead letters from an id on; in memory mode it keeps none. */
    public Future<List<DeadLetter>> deadLetters(long from, int limit) {
        DeadLetterLog log = deadLetterLog;
        return log == null ? Future.succeededFuture(List.of()) : onContext(() -> log.list(from, limit));
    }

    /** Forgets dead letters up to one; completes with how many. */
    public Future<Long> purgeDeadLetters(long upTo) {
        DeadLetterLog log = deadLetterLog;
        return log == null ? Future.succeededFuture(0L) : onContext(() -> log.purge(upTo));
    }

    /** Gives dead letters up to one to an outbox; completes with how many. */
    public Future<Long> replayDeadLetters(long upTo, Outbox to) {
        DeadLetterLog log = deadLetterLog;
        return log == null ? Future.succeededFuture(0L) : onContext(() -> log.replay(upTo, to));
    }

    private <T> Future<T> onContext(Supplier<Future<T>> work) {
        return OnContext.call(context, work);
    }

    /** One after the other, as messages go. */
    private Future<Void> each(BiConsumer<Relay, Promise<Void>> step) {
        Future<Void> done = Future.succeededFuture();
        for (Relay relay : relays()) {
            done = done.compose(v -> this.<Void>onContext(promise -> step.accept(relay, promise)));
        }
        return done;
    }

    private List<Relay> relays() {
        return Stream.of(first, last)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .distinct()
                .toList();
    }
}
