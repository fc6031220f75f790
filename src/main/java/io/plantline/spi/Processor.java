package io.plantline.spi;

import io.plantline.model.MessageBatch;
import io.vertx.core.Future;

/** Changes messages on their way to a target. All calls come from one context, which must not be blocked. */
public interface Processor {

    default Future<Void> open() {
        return Future.succeededFuture();
    }

    /**
     * Processes a batch.
     *
     * @return what came out, in the order of {@code batch}, each message with the sequence of the one it was made from;
     *     a failed future means that nothing is known of any message, and the batch comes again
     */
    Future<Processed> process(MessageBatch batch);

    default Future<Void> close() {
        return Future.succeededFuture();
    }
}
