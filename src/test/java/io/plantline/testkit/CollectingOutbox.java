package io.plantline.testkit;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Future;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A stub of an outbox: collects what it gets, as payload and user properties, and says that it is safe. */
public final class CollectingOutbox implements Outbox {
    private final List<String> messages = new CopyOnWriteArrayList<>();

    public List<String> messages() {
        return messages;
    }

    @Override
    public int lanes() {
        return 1;
    }

    @Override
    public Future<Void> append(int lane, MessageBatch batch, Identifiers identifiers) {
        MessageCursor message = batch.cursor();
        while (message.next()) {
            messages.add(
                    new String(message.payload()) + " " + message.properties().user());
        }
        return Future.succeededFuture();
    }
}
