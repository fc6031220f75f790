package io.plantline.plugin.processor.remote;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import org.jspecify.annotations.Nullable;

/** Collects an answer up to a limit; what is beyond it is thrown away as it comes. */
final class LimitedBody implements WriteStream<Buffer> {
    private final int limit;
    private final Buffer buffer = Buffer.buffer();
    private boolean tooLarge;

    LimitedBody(int limit) {
        this.limit = limit;
    }

    boolean isTooLarge() {
        return tooLarge;
    }

    byte[] bytes() {
        return buffer.getBytes();
    }

    @Override
    public Future<Void> write(Buffer data) {
        if (tooLarge || buffer.length() + data.length() > limit) {
            tooLarge = true;
            return Future.failedFuture("the answer is larger than " + limit + " bytes");
        }
        buffer.appendBuffer(data);
        return Future.succeededFuture();
    }

    @Override
    public Future<Void> end() {
        return Future.succeededFuture();
    }

    @Override
    public WriteStream<Buffer> exceptionHandler(@Nullable Handler<Throwable> handler) {
        return this;
    }

    @Override
    public WriteStream<Buffer> setWriteQueueMaxSize(int maxSize) {
        return this;
    }

    @Override
    public boolean writeQueueFull() {
        return false;
    }

    @Override
    public WriteStream<Buffer> drainHandler(@Nullable Handler<Void> handler) {
        return this;
    }
}
