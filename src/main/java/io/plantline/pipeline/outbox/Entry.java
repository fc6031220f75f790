package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.vertx.core.Promise;
import org.jspecify.annotations.Nullable;

/**
 * A batch in a lane.
 *
 * @param epoch of the start that took it
 * @param lost messages that damage took before it
 * @param safe who waits until it is delivered; nobody, if it is on disk
 */
record Entry(
        MessageBatch batch, int epoch, long lost, @Nullable Promise<Void> safe, long acceptedNanos) {

    long end() {
        return batch.firstSequence() + batch.count();
    }
}
