package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.MessageBatch;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.internal.ContextInternal;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The outbox of one target. With a folder for its log a batch is safe once it is there; without one (memory mode) nothing is
 * stored, and a batch is safe once its target has it: the broker keeps what is not acknowledged.
 */
public final class OutboxVerticle extends VerticleBase implements Outbox {
    private final TargetDefinition target;
    private final List<ProcessorDefinition> processors;
    private final Storage storage;
    private final TargetLedger ledger;
    private final Function<String, @Nullable Outbox> others;
    private @Nullable Relay relay;
    private @Nullable Journal journal;

    /**
     * Where messages are kept.
     *
     * @param outboxId unique over all plants, and in memory mode over all starts
     * @param folder of the log; none in memory mode
     * @param minFreeBytes left on the disk
     */
    public record Storage(String outboxId, Optional<Path> folder, long minFreeBytes) {}

    /**
     * An outbox.
     *
     * @param processors of the target, in order
     * @param others outboxes by target name, for dead letters
     */
    public OutboxVerticle(
            TargetDefinition target,
            List<ProcessorDefinition> processors,
            Storage storage,
            TargetLedger ledger,
            Function<String, @Nullable Outbox> others) {
        this.target = target;
        this.processors = List.copyOf(processors);
        this.storage = storage;
        this.ledger = ledger;
        this.others = others;
    }

    @Override
    public Future<?> start() {
        return openJournal().onSuccess(opened -> {
            journal = opened;
            relay = new Relay(
                    (ContextInternal) context,
                    target,
                    opened,
                    processors,
                    storage.outboxId(),
                    ledger,
                    target.deadLetterTarget().map(others).orElse(null),
                    new SecureRandom());
        });
    }

    private Future<Journal> openJournal() {
        if (storage.folder().isEmpty()) {
            return Future.succeededFuture(new MemoryJournal(target.lanes()));
        }
        ContextInternal own = (ContextInternal) context;
        Path folder = storage.folder().get();
        Log.Options options = new Log.Options(segmentBytes(), storage.minFreeBytes());
        return own.executeBlocking(() -> Log.open(
                        target.name(),
                        new FileDisk(folder),
                        target.lanes(),
                        options,
                        new DiskTrouble(target.name(), ledger),
                        work -> own.runOnContext(v -> work.run())))
                .map(log -> {
                    ledger.resume(totals(log.recovered()));
                    return new DiskJournal(own, log, target.name(), target.fingerprint(), storage.outboxId());
                });
    }

    private static TargetLedger.Totals totals(LogState state) {
        return new TargetLedger.Totals(
                state.accepted(),
                state.delivered(),
                state.filtered(),
                state.deadLettered(),
                state.lost(Loss.DROPPED),
                state.lost(Loss.EXPIRED),
                state.lost(Loss.PURGED),
                state.lost(Loss.QUARANTINED));
    }

    /** A small limit needs small segments: space comes free by the segment. */
    private int segmentBytes() {
        return (int) Math.max(1 << 20, Math.min(16 << 20, target.limits().maxBytes() / 8));
    }

    /** Goes on with what an earlier start has left, when every outbox is open. */
    public void resume() {
        onRelay((open, promise) -> open.start());
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
    public Future<Void> release(Identifiers identifiers) {
        Journal open = journal;
        return open == null
                ? Future.succeededFuture()
                : onRelay((relay, released) -> open.release(identifiers, released::complete));
    }

    @Override
    public BitSet stored(long generation) {
        return journal == null ? new BitSet() : journal.identifiers(generation);
    }

    private Future<Void> onRelay(BiConsumer<Relay, Promise<Void>> work) {
        ContextInternal caller = ContextInternal.current();
        Promise<Void> promise = caller == null ? Promise.promise() : caller.promise();
        Relay open = relay;
        if (open == null) {
            return Future.failedFuture("the outbox of " + target.name() + " is not open");
        }
        if (caller == context) {
            work.accept(open, promise);
        } else {
            context.runOnContext(v -> work.accept(open, promise));
        }
        return promise.future();
    }

    /** Completes when nothing waits any more; with a log, when nothing is on its way. */
    public Future<Void> drain() {
        return relay == null ? Future.succeededFuture() : onRelay(Relay::drain);
    }

    @Override
    public Future<?> stop() {
        return relay == null ? Future.succeededFuture() : relay.close();
    }
}
