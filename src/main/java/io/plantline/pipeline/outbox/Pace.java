package io.plantline.pipeline.outbox;

import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the plans of a lane apart while many messages come. Where the end of a plan acknowledges its messages, a broker whose
 * window is full sends as many as were acknowledged: without a pause a few make small reads, small reads make small plans,
 * and each of them costs as much as a large one (as with TCP's silly window, RFC 813).
 */
final class Pace {
    private static final long NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    /** So many messages in that time are many. */
    private static final int MANY = 4;

    private final ContextInternal context;
    private final Runnable next;
    private long since = System.nanoTime() - NANOS;
    private int begun;
    private boolean holding;

    /**
     * A pace.
     *
     * @param next runs when what was held may go on
     */
    Pace(ContextInternal context, Runnable next) {
        this.context = context;
        this.next = next;
    }

    /** A plan of so many messages begins. */
    void begin(int messages) {
        long now = System.nanoTime();
        if (now - since >= NANOS) {
            since = now;
            begun = 0;
        }
        begun += messages;
    }

    /** Whether the next plan has to wait; if so, it hears when it need not any more. */
    boolean holds() {
        long left = begun < MANY ? 0 : NANOS - (System.nanoTime() - since);
        if (left > 0 && !holding) {
            holding = true;
            context.nettyEventLoop()
                    .schedule(
                            () -> {
                                holding = false;
                                context.dispatch(next);
                            },
                            left,
                            TimeUnit.NANOSECONDS);
        }
        return left > 0;
    }
}
