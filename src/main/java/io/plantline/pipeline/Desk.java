package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One plug-in at an address of the event bus. It is opened when it is first needed, and again after a failure, so that a
 * start never waits for somebody else; and it leaves when nothing is with it any more, so that others can take its place
 * without a request being lost. Used on one context.
 */
public final class Desk<Q extends PipelineMessage, R extends PipelineMessage> {
    private final Supplier<Future<Void>> open;
    private final Function<Q, Future<R>> answer;
    private @Nullable Future<Void> opened;
    private @Nullable MessageConsumer<Q> consumer;
    private @Nullable Promise<Void> idle;
    private int busy;

    /** A desk with nobody at it. */
    public Desk(Supplier<Future<Void>> open, Function<Q, Future<R>> answer) {
        this.open = open;
        this.answer = answer;
    }

    /**
     * Answers from now on.
     *
     * @param probe whether to open at once: then it fails if the plug-in cannot be opened and time alone would not change
     *     that
     */
    public Future<Void> start(EventBus bus, String address, Hop<Q, R> hop, boolean probe) {
        Future<Void> ready = probe
                ? opened().recover(e ->
                        Failure.of(e).kind() == Failure.Kind.RETRY ? Future.succeededFuture() : Future.failedFuture(e))
                : Future.succeededFuture();
        return ready.compose(v -> {
            MessageConsumer<Q> registered = bus.<Q>consumer(address).handler(hop.serve(this::serve));
            consumer = registered;
            return registered.completion();
        });
    }

    private Future<R> serve(Q request) {
        busy++;
        return opened().compose(v -> answer.apply(request)).onComplete(done -> {
            busy--;
            Promise<Void> waiting = idle;
            if (busy == 0 && waiting != null) {
                waiting.complete();
            }
        });
    }

    private Future<Void> opened() {
        if (opened == null || opened.failed()) {
            opened = Future.succeededFuture().compose(v -> open.get());
        }
        return opened;
    }

    /** Takes nothing more; completes when all that was taken is answered. */
    public Future<Void> stop() {
        MessageConsumer<Q> registered = consumer;
        return (registered == null ? Future.<Void>succeededFuture() : registered.unregister()).compose(v -> {
            if (busy == 0) {
                return Future.succeededFuture();
            }
            Promise<Void> promise = Promise.promise();
            idle = promise;
            return promise.future();
        });
    }
}
