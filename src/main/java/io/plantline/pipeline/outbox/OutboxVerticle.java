package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.MessageBatch;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.internal.ContextInternal;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The outbox of one target in memory mode: nothing is stored, a batch is safe once its target has it. The broker keeps
 * what is not acknowledged.
 */
public final class OutboxVerticle extends VerticleBase implements Outbox {
    private final TargetDefinition target;
    private final List<ProcessorDefinition> processors;
    private final String outboxId;
    private final TargetLedger ledger;
    private final Function<String, @Nullable Outbox> others;
    private @Nullable Relay relay;

    /**
     * An outbox.
     *
     * @param processors of the target, in order
     * @param outboxId unique over all plants and all starts
     * @param others outboxes by target name, for dead letters
     */
    public OutboxVerticle(
            TargetDefinition target,
            List<ProcessorDefinition> processors,
            String outboxId,
            TargetLedger ledger,
            Function<String, @Nullable Outbox> others) {
        this.target = target;
        this.processors = List.copyOf(processors);
        this.outboxId = outboxId;
        this.ledger = ledger;
        this.others = others;
    }

    @Override
    public Future<?> start() {
        Outbox deadLetters = target.deadLetterTarget().map(others).orElse(null);
        relay = new Relay(
                (ContextInternal) context, target, processors, outboxId, ledger, deadLetters, new SecureRandom());
        return Future.succeededFuture();
    }

    @Override
    public int lanes() {
        return target.lanes();
    }

    @Override
    public Future<Void> append(int lane, MessageBatch batch) {
        ContextInternal caller = ContextInternal.current();
        Promise<Void> safe = caller == null ? Promise.promise() : caller.promise();
        Relay open = relay;
        if (open == null) {
            return Future.failedFuture("the outbox of " + target.name() + " is not open");
        }
        if (caller == context) {
            open.accept(lane, batch, safe);
        } else {
            context.runOnContext(v -> open.accept(lane, batch, safe));
        }
        return safe.future();
    }

    /** Completes when nothing waits any more. */
    public Future<Void> drain() {
        Promise<Void> empty = Promise.promise();
        Relay open = relay;
        if (open == null) {
            return Future.succeededFuture();
        }
        context.runOnContext(v -> open.whenEmpty(empty));
        return empty.future();
    }

    @Override
    public Future<?> stop() {
        if (relay != null) {
            relay.close();
        }
        return Future.succeededFuture();
    }
}
