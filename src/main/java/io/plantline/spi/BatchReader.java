package io.plantline.spi;

import io.plantline.model.MessageBatch;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;

/** Reads the messages of a plan piece by piece, in order. */
@FunctionalInterface
public interface BatchReader {
    /** The next piece; one with no message in it is the end. */
    Future<MessageBatch> next();

    /** The next pieces, of {@code bytes} together or a little more; none is the end. */
    default Future<List<MessageBatch>> next(long bytes) {
        return gather(new ArrayList<>(), bytes);
    }

    /** A loop where it can be one: a plan of many small pieces would be too deep a recursion. */
    private Future<List<MessageBatch>> gather(List<MessageBatch> pieces, long bytes) {
        long missing = bytes;
        while (missing > 0) {
            Future<MessageBatch> next = next();
            if (!next.isComplete()) {
                long rest = missing;
                return next.compose(piece -> {
                    if (piece.count() == 0) {
                        return Future.succeededFuture(pieces);
                    }
                    pieces.add(piece);
                    return gather(pieces, rest - piece.sizeInBytes());
                });
            }
            if (next.failed()) {
                return Future.failedFuture(next.cause());
            }
            if (next.result().count() == 0) {
                break;
            }
            pieces.add(next.result());
            missing -= next.result().sizeInBytes();
        }
        return Future.succeededFuture(pieces);
    }
}
