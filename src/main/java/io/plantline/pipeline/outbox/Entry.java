package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
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

    static List<MessageBatch> batches(List<Entry> entries) {
        List<MessageBatch> batches = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            batches.add(entry.batch);
        }
        return batches;
    }

    long end() {
        return batch.firstSequence() + batch.count();
    }

    /** When its first message was received, microseconds since 1970. */
    long oldestMicros() {
        MessageCursor message = batch.cursor();
        return message.next() ? message.receivedAtMicros() : 0;
    }

    /** When the last one to be received was, microseconds since 1970. */
    long newestMicros() {
        MessageCursor message = batch.cursor();
        long newest = 0;
        while (message.next()) {
            newest = Math.max(newest, message.receivedAtMicros());
        }
        return newest;
    }

    /** Who waits for its delivery hears that there was none. */
    void giveBack(String why) {
        if (safe != null) {
            safe.tryFail(why);
        }
    }
}
