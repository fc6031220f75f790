package io.plantline.spi;

import io.plantline.model.MessageBatch;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Reads the messages of a plan piece by piece, in order. */
@FunctionalInterface
public interface BatchReader {
    /** The next piece; one with no message in it is the end. */
    Future<MessageBatch> next();

    /** The next pieces, of {@code bytes} together or a little more; none is the end. */
    default Future<List<MessageBatch>> next(long bytes) {
        List<MessageBatch> pieces = new ArrayList<>();
        AtomicLong missing = new AtomicLong(bytes);
        return Loop.run(() -> next().map(piece -> {
                    if (piece.count() == 0) {
                        return false;
                    }
                    pieces.add(piece);
                    return missing.addAndGet(-piece.sizeInBytes()) > 0;
                }))
                .map(pieces);
    }
}
