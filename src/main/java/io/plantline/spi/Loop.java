package io.plantline.spi;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Repeats a step that takes its time. Futures that are composed one within the other are completed one within the other,
 * and so many steps would need as much stack; this needs none.
 */
public final class Loop {
    private final Step step;
    private final Promise<Void> ended = Promise.promise();

    /** One round. */
    public interface Step {
        /** Whether there is to be another one. */
        Future<Boolean> run();
    }

    private Loop(Step step) {
        this.step = step;
    }

    /** Repeats a step until it says that it was the last, or fails. */
    public static Future<Void> run(Step step) {
        Loop loop = new Loop(step);
        loop.goOn();
        return loop.ended.future();
    }

    private void goOn() {
        boolean more = true;
        while (more) {
            Future<Boolean> round;
            try {
                round = step.run();
            } catch (RuntimeException e) {
                round = Future.failedFuture(e);
            }
            if (!round.isComplete()) {
                round.onComplete(done -> {
                    if (!ends(done)) {
                        goOn();
                    }
                });
                return;
            }
            more = !ends(round);
        }
    }

    private boolean ends(AsyncResult<Boolean> round) {
        if (round.failed()) {
            ended.fail(round.cause());
        } else if (!round.result()) {
            ended.complete();
        }
        return round.failed() || !round.result();
    }
}
