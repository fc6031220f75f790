package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.model.Batches;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Takes messages out of an outbox again, for another one or for nobody. Used on the context of the outbox. */
final class Handover {
    private final Context context;
    private final List<ProcessorDefinition> processors;
    private final Relay raw;
    private final Relay ready;

    /** Takes the messages of a lane; completes when it has them. */
    private interface Taker extends BiFunction<Integer, MessageBatch, Future<Void>> {}

    /**
     * From an outbox.
     *
     * @param processors of its messages
     * @param raw has those that came from the broker
     * @param ready has those that were processed; the same, if there are no processors
     */
    Handover(Context context, List<ProcessorDefinition> processors, Relay raw, Relay ready) {
        this.context = context;
        this.processors = processors;
        this.raw = raw;
        this.ready = ready;
    }

    /**
     * Hands messages to another outbox. What was processed goes there only if it would be processed in the same way there, or
     * also, if what was tried goes, not at all.
     *
     * @param tried also what was tried and waits to be tried again
     * @return how many messages
     */
    Future<Long> to(OutboxVerticle other, boolean tried) {
        Taker takesRaw = (lane, batch) -> appendAll(other, batch);
        boolean alike = processors.equals(other.processors());
        boolean unprocessed = tried && other.processors().isEmpty();
        return move(tried, takesRaw, alike ? other::takeProcessed : unprocessed ? takesRaw : null);
    }

    /** Forgets messages; completes with how many. */
    Future<Long> toNobody(boolean tried) {
        // Gone a moment later, so that a long backlog is a loop and no recursion.
        Taker nobody = (lane, batch) -> {
            Promise<Void> gone = Promise.promise();
            context.runOnContext(v -> gone.complete());
            return gone.future();
        };
        return move(tried, nobody, nobody);
    }

    private Future<Long> move(boolean tried, Taker takesRaw, @Nullable Taker takesReady) {
        Future<Long> moved = raw.move(takesRaw, tried);
        return takesReady == null || raw == ready
                ? moved
                : moved.compose(some -> ready.move(takesReady, tried).map(more -> some + more));
    }

    /** The lanes there may be other ones. */
    private static Future<Void> appendAll(Outbox other, MessageBatch batch) {
        int lanes = other.lanes();
        if (lanes == 1) {
            return other.append(0, Batches.withoutGaps(batch));
        }
        List<Future<Void>> appended = new ArrayList<>();
        for (int lane = 0; lane < lanes; lane++) {
            MessageBatch.Builder builder = new MessageBatch.Builder(1024);
            MessageCursor message = batch.cursor();
            while (message.next()) {
                if (Outbox.laneOf(message.topic(), lanes) == lane) {
                    builder.addCopy(message);
                }
            }
            if (builder.count() > 0) {
                appended.add(other.append(lane, Batches.withoutGaps(builder.build())));
            }
        }
        return Future.all(appended).mapEmpty();
    }
}
