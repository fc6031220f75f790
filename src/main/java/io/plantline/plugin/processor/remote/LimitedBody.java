package io.plantline.plugin.processor.remote;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.streams.WriteStream;
import io.vertx.ext.web.client.impl.ClientPhase;
import io.vertx.ext.web.client.impl.HttpContext;
import io.vertx.ext.web.codec.BodyCodec;
import io.vertx.ext.web.codec.spi.BodyStream;
import org.jspecify.annotations.Nullable;

/** Collects an answer up to a limit. When it is stopped, its connection is closed: whoever sends without an end keeps none. */
final class LimitedBody implements BodyCodec<byte[]>, BodyStream<byte[]> {
    private final int limit;
    private final Runnable tooLarge;
    private final Buffer buffer = Buffer.buffer();
    private @Nullable HttpClientRequest request;
    private boolean stopped;

    /**
     * An empty one.
     *
     * @param limit bytes it takes
     * @param tooLarge runs when there are more; then it is stopped, too
     */
    LimitedBody(int limit, Runnable tooLarge) {
        this.limit = limit;
        this.tooLarge = tooLarge;
    }

    /** Notes whose answer a body is, before any of it comes. */
    static void from(HttpContext<?> call) {
        HttpClientResponse response = call.clientResponse();
        if (call.phase() == ClientPhase.RECEIVE_RESPONSE
                && response != null
                && call.request().bodyCodec() instanceof LimitedBody body) {
            body.request = response.request();
            if (body.stopped) {
                body.stop();
            }
        }
        call.next();
    }

    void stop() {
        stopped = true;
        HttpClientRequest answered = request;
        if (answered != null) {
            answered.reset();
        }
    }

    @Override
    public Future<Void> write(Buffer data) {
        if (!stopped && buffer.length() + data.length() > limit) {
            tooLarge.run();
            stop();
        }
        if (!stopped) {
            buffer.appendBuffer(data);
        }
        return Future.succeededFuture();
    }

    @Override
    public BodyStream<byte[]> stream() {
        return this;
    }

    @Override
    public Future<byte[]> result() {
        return Future.succeededFuture(buffer.getBytes());
    }

    @Override
    public void handle(Throwable failure) {
        // Who sends the request is told of it, too.
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
