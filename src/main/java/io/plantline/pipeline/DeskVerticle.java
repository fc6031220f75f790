package io.plantline.pipeline;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One plug-in behind an address of the event bus.
 *
 * @param <P> the plug-in
 * @param <Q> what it is asked
 * @param <R> what it answers
 */
public abstract class DeskVerticle<P, Q extends PipelineMessage, R extends PipelineMessage> extends VerticleBase {
    private final String address;
    private final Hop<Q, R> hop;
    private final Function<P, Desk.Occupant<Q, R>> occupant;
    private final Supplier<P> first;
    private final boolean probe;
    private volatile @Nullable Desk<Q, R> desk;

    /**
     * A verticle that is not deployed.
     *
     * @param occupant how a plug-in answers
     * @param first makes the plug-in that answers first
     * @param probe whether not to start if somebody must act before it can be opened
     */
    protected DeskVerticle(
            String address,
            Hop<Q, R> hop,
            Function<P, Desk.Occupant<Q, R>> occupant,
            Supplier<P> first,
            boolean probe) {
        this.address = address;
        this.hop = hop;
        this.occupant = occupant;
        this.first = first;
        this.probe = probe;
    }

    @Override
    public Future<?> start() {
        Desk<Q, R> opened = new Desk<>(occupant.apply(first.get()));
        desk = opened;
        return opened.start(vertx.eventBus(), address, hop, probe);
    }

    /**
     * Works by another plug-in from now on; what is with the one before is finished by it.
     *
     * @param waits whether one that can only be opened later, when whom it needs is back, may take the place all the same
     * @return fails if the other one cannot be opened, and then nothing has changed
     */
    public Future<Void> replace(Supplier<P> other, boolean waits) {
        return onContext(open -> open.replace(occupant.apply(other.get()), waits));
    }

    /** Completes when everything that was asked is answered. */
    public Future<Void> idle() {
        return onContext(Desk::idle);
    }

    /** When something was asked or answered last, as of {@link System#nanoTime}; from any thread. */
    public long usedNanos() {
        Desk<Q, R> open = desk;
        return open == null ? System.nanoTime() : open.usedNanos();
    }

    private Future<Void> onContext(Function<Desk<Q, R>, Future<Void>> work) {
        return OnContext.call(context, () -> {
            Desk<Q, R> open = desk;
            return open == null ? Future.failedFuture("not started") : work.apply(open);
        });
    }

    @Override
    public Future<?> stop() {
        Desk<Q, R> open = desk;
        return open == null ? Future.succeededFuture() : open.stop();
    }
}
