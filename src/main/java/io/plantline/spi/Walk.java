package io.plantline.spi;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.vertx.core.Future;

/** Drives a reader to its end. */
final class Walk {
    private final BatchReader reader;
    private final PublishBatch.Visitor visitor;
    private int ordinal;

    Walk(BatchReader reader, PublishBatch.Visitor visitor) {
        this.reader = reader;
        this.visitor = visitor;
    }

    Future<Void> run() {
        while (true) {
            Future<MessageBatch> next = reader.next();
            if (!next.isComplete()) {
                return next.compose(batch -> {
                    show(batch);
                    return batch.count() == 0 ? Future.succeededFuture() : run();
                });
            }
            if (next.failed()) {
                return next.mapEmpty();
            }
            if (next.result().count() == 0) {
                return Future.succeededFuture();
            }
            show(next.result());
        }
    }

    private void show(MessageBatch batch) {
        MessageCursor cursor = batch.cursor();
        while (cursor.next()) {
            visitor.visit(ordinal++, cursor);
        }
    }
}
