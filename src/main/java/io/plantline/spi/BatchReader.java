package io.plantline.spi;

import io.plantline.model.MessageBatch;
import io.vertx.core.Future;

/** Reads the messages of a plan piece by piece, in order. */
@FunctionalInterface
public interface BatchReader {
    /** The next piece; one with no message in it is the end. */
    Future<MessageBatch> next();
}
