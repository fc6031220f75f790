package io.plantline.mqtt;

import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;

/**
 * Waits until a session that subscribes to nothing any more has nothing left at its broker: until nothing has come for a while
 * on a connection, and all that came is acknowledged.
 */
final class Silence {
    private static final Duration QUIET = Duration.ofSeconds(2);
    private static final Duration AWAY = Duration.ofSeconds(10);

    private final Connector connector;
    private final SessionCounters counters;
    private final Deliveries deliveries;
    private final long start = System.nanoTime();
    private long received;
    private long quietSince = start;
    private long liveAt = start;

    Silence(Connector connector, SessionCounters counters, Deliveries deliveries) {
        this.connector = connector;
        this.counters = counters;
        this.deliveries = deliveries;
        this.received = counters.received;
    }

    /**
     * Completes {@code silent} when it is silent; or after {@code atMost}, or when there was no connection for ten seconds: what
     * is left then stays at the broker.
     */
    void await(ContextInternal context, Duration atMost, Promise<Void> silent) {
        context.setPeriodic(QUIET.toMillis() / 10, id -> {
            if (isSilent(System.nanoTime(), atMost)) {
                context.owner().cancelTimer(id);
                silent.complete();
            }
        });
    }

    private boolean isSilent(long now, Duration atMost) {
        boolean live = connector.isLive();
        if (live) {
            liveAt = now;
        }
        if (!live || counters.received != received || deliveries.held() > 0) {
            received = counters.received;
            quietSince = now;
        }
        return (connector.isStopped() && deliveries.held() == 0)
                || now - quietSince >= QUIET.toNanos()
                || now - liveAt >= AWAY.toNanos()
                || now - start >= atMost.toNanos();
    }
}
