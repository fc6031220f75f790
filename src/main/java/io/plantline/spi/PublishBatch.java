package io.plantline.spi;

import io.plantline.model.MessageCursor;
import io.plantline.model.Plan;
import io.vertx.core.Future;

/** A plan and its messages, which may be more than fit into memory: they are read in pieces, as often as needed. */
public interface PublishBatch {

    Plan plan();

    /** Messages to read, delivered ones included. */
    int count();

    /** Payload and topic bytes of all of them. */
    long sizeInBytes();

    /** Whether the message at {@code ordinal} (its position in the plan, from 0) still waits for delivery. */
    boolean isPending(int ordinal);

    /** A new reader, at the first message. */
    BatchReader reader();

    /**
     * Shows every message, pending or not, to {@code visitor}. The cursor is valid during the call only.
     *
     * @return fails if the messages cannot be read
     */
    default Future<Void> forEach(Visitor visitor) {
        return new Walk(reader(), visitor).run();
    }

    /** Sees one message. */
    @FunctionalInterface
    interface Visitor {
        void visit(int ordinal, MessageCursor message);
    }
}
