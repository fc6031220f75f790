package io.plantline.pipeline;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.util.function.Supplier;

/** Has work done on the context that its state belongs to, and brings the result to where it was asked for. */
public final class OnContext {
    private OnContext() {}

    /** Runs {@code work} on {@code there}; the future completes on the caller's context, if it has one. */
    public static <T> Future<T> call(Context there, Supplier<Future<T>> work) {
        ContextInternal caller = ContextInternal.current();
        Promise<T> promise = caller == null ? Promise.promise() : caller.promise();
        there.runOnContext(v -> {
            try {
                work.get().onComplete(promise);
            } catch (RuntimeException e) {
                promise.fail(e);
            }
        });
        return promise.future();
    }
}
