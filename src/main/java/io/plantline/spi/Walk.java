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
        return Loop.run(() -> reader.next().map(batch -> {
            show(batch);
            return batch.count() > 0;
        }));
    }

    private void show(MessageBatch batch) {
        MessageCursor cursor = batch.cursor();
        while (cursor.next()) {
            visitor.visit(ordinal++, cursor);
        }
    }
}
