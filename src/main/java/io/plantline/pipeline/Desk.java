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
 * A plug-in at an address of the event bus. It is opened when it is first needed, and again after a failure, so that a
 * start never waits for somebody else. Another plug-in can take its place while requests come: the address stays, because a
 * request to an address that is being given up would be lost, and what the former one has it finishes. Used on one context.
 */
public final class Desk<Q extends PipelineMessage, R extends PipelineMessage> {
    private Seat seat;
    private volatile long usedNanos = System.nanoTime();
    private @Nullable MessageConsumer<Q> consumer;

    /**
     * Who sits at a desk.
     *
     * @param close runs when everything is answered
     */
    public record Occupant<Q, R>(
            Supplier<Future<Void>> open, Function<Q, Future<R>> answer, Supplier<Future<Void>> close) {}

    /** A desk that answers nothing yet. */
    public Desk(Occupant<Q, R> first) {
        seat = new Seat(first);
    }

    /** One occupant and what is with it. */
    private final class Seat {
        private final Occupant<Q, R> occupant;
        private @Nullable Future<Void> opened;
        private @Nullable Promise<Void> idle;
        private int busy;

        Seat(Occupant<Q, R> occupant) {
            this.occupant = occupant;
        }

        Future<Void> open() {
            if (opened == null || opened.failed()) {
                opened = Future.succeededFuture().compose(v -> occupant.open().get());
            }
            return opened;
        }

        /** Fails if it cannot be opened, and time alone would not change that. */
        Future<Void> probe() {
            return open().recover(e ->
                    Failure.of(e).kind() == Failure.Kind.RETRY ? Future.succeededFuture() : Future.failedFuture(e));
        }

        Future<R> answer(Q request) {
            busy++;
            usedNanos = System.nanoTime();
            return open().compose(v -> occupant.answer().apply(request)).andThen(done -> {
                busy--;
                usedNanos = System.nanoTime();
                Promise<Void> waiting = idle;
                if (busy == 0 && waiting != null) {
                    // Once: the seat may go on to be asked, and be waited for again.
                    idle = null;
                    waiting.complete();
                }
            });
        }

        Future<Void> close() {
            return occupant.close().get();
        }

        Future<Void> idle() {
            if (busy == 0) {
                return Future.succeededFuture();
            }
            Promise<Void> promise = idle == null ? Promise.promise() : idle;
            idle = promise;
            return promise.future();
        }
    }

    /**
     * Answers from now on.
     *
     * @param probe whether to open at once: then it fails if somebody must act before the plug-in can be opened
     */
    public Future<Void> start(EventBus bus, String address, Hop<Q, R> hop, boolean probe) {
        return (probe ? seat.probe() : Future.<Void>succeededFuture())
                .recover(e -> seat.close().transform(v -> Future.failedFuture(e)))
                .compose(v -> {
                    MessageConsumer<Q> registered =
                            bus.<Q>consumer(address).handler(hop.serve(request -> seat.answer(request)));
                    consumer = registered;
                    return registered.completion().onSuccess(open -> bus.publish(Addresses.opened(address), ""));
                });
    }

    /**
     * Has another one answer from now on, once it is open.
     *
     * @param waits whether it may also be opened later, where nobody has to act for that
     * @return fails if it cannot be opened, and then nothing has changed
     */
    public Future<Void> replace(Occupant<Q, R> next, boolean waits) {
        Seat taken = new Seat(next);
        return (waits ? taken.probe() : taken.open())
                .recover(e -> taken.close().transform(v -> Future.failedFuture(e)))
                .map(v -> {
                    Seat left = seat;
                    seat = taken;
                    left.idle().eventually(left::close);
                    return null;
                });
    }

    /** When something was asked or answered last, as of {@link System#nanoTime}; from any thread. */
    public long usedNanos() {
        return usedNanos;
    }

    /** Completes when everything that was asked is answered. */
    public Future<Void> idle() {
        return seat.idle();
    }

    /** Takes nothing more; what is asked for now may be lost. */
    public Future<Void> stop() {
        MessageConsumer<Q> registered = consumer;
        return (registered == null ? Future.<Void>succeededFuture() : registered.unregister())
                .eventually(() -> seat.close());
    }
}
