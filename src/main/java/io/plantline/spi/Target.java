package io.plantline.spi;

import io.vertx.core.Future;

/**
 * Delivers plans to one place. All calls come from one context, one plan at a time per lane; nothing here may block it
 * ({@link TargetContext#blocking} is for that). Retry, backoff, order and dead letters are the caller's.
 */
public interface Target {

    /** Prepares the target. A failure keeps it closed; it is opened again after a while. */
    default Future<Void> open() {
        return Future.succeededFuture();
    }

    /**
     * Delivers every message of the plan that is still {@linkplain PublishBatch#isPending pending}.
     *
     * @return what was refused and why; a failed future (a {@link io.plantline.model.FailureException} says more) means
     *     that nothing is known of any message, and the same plan comes again
     */
    Future<Verdicts> publish(PublishBatch batch);

    /** Releases what {@link #open} took. */
    default Future<Void> close() {
        return Future.succeededFuture();
    }
}
