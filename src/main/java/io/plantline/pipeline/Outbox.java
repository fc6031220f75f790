package io.plantline.pipeline;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;

/** Takes responsibility for messages of one target. Can be called from any context. */
public interface Outbox {

    /** Lanes the target's messages are split in; a topic belongs to one of them. */
    int lanes();

    /**
     * Takes a batch whose messages all belong to {@code lane}.
     *
     * @param identifiers of the QoS 2 messages in it, remembered until they are released
     * @return completes, on the caller's context, when the messages are safe: on disk, or delivered (memory mode). A
     *     failure means that they are not, and must come again.
     */
    Future<Void> append(int lane, MessageBatch batch, Identifiers identifiers);

    /** Takes messages that have no packet identifiers. */
    default Future<Void> append(int lane, MessageBatch batch) {
        return append(lane, batch, Identifiers.NONE);
    }

    /**
     * Takes messages again that were refused before. They neither wait for room nor are dropped for want of it.
     *
     * @param letters batches of one message each
     * @return completes when they are safe; fails, with nothing taken, if there is no room
     */
    default Future<Void> takeBack(List<MessageBatch> letters) {
        List<Future<Void>> taken = new ArrayList<>();
        for (MessageBatch letter : letters) {
            taken.add(append(laneOf(letter, lanes()), letter));
        }
        return Future.all(taken).mapEmpty();
    }

    /**
     * Forgets identifiers, because the broker has released them.
     *
     * @return completes when that is durable
     */
    default Future<Void> release(Identifiers identifiers) {
        return Future.succeededFuture();
    }

    /** QoS 2 messages that are stored, and that the broker has not released; a copy; completes where it was called. */
    default Future<Unreleased> stored(long generation) {
        return Future.succeededFuture(new Unreleased());
    }

    /** The lane of the first message in a batch. */
    static int laneOf(MessageBatch batch, int lanes) {
        MessageCursor message = batch.cursor();
        message.next();
        return laneOf(message.topic(), lanes);
    }

    /** The lane of a topic. */
    static int laneOf(String topic, int lanes) {
        return lanes == 1 ? 0 : Math.floorMod((topic.hashCode() * 0x9E3779B9) >>> 7, lanes);
    }
}
