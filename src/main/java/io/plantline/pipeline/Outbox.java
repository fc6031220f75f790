package io.plantline.pipeline;

import io.plantline.model.MessageBatch;
import io.vertx.core.Future;

/** Takes responsibility for messages of one target. Can be called from any context. */
public interface Outbox {

    /** Lanes the target's messages are split in; a topic belongs to one of them. */
    int lanes();

    /**
     * Takes a batch whose messages all belong to {@code lane}.
     *
     * @return completes, on the caller's context, when the messages are safe: delivered (memory mode). A failure means
     *     that they are not, and must come again.
     */
    Future<Void> append(int lane, MessageBatch batch);

    /** The lane of a topic. */
    static int laneOf(String topic, int lanes) {
        return lanes == 1 ? 0 : Math.floorMod((topic.hashCode() * 0x9E3779B9) >>> 7, lanes);
    }
}
