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
    private final Subscriber subscriber;
    private final long start = System.nanoTime();
    private long received;
    private long quietSince = start;
    private long liveAt = start;

    Silence(Connector connector, SessionCounters counters, Deliveries deliveries, Subscriber subscriber) {
        this.subscriber = subscriber;
        this.connector = connector;
        this.counters = counters;
        this.deliveries = deliveries;
        this.received = counters.received;
    }

    /**
     * Completes {@code silent} with true when it is silent; with false when it is read no more, after {@code atMost}, or when
     * there was no connection for ten seconds: the broker may have more then.
     */
    void await(ContextInternal context, Duration atMost, Promise<Boolean> silent) {
        context.setPeriodic(QUIET.toMillis() / 10, id -> {
            long now = System.nanoTime();
            boolean quiet = isQuiet(now);
            if (quiet || isOver(now, atMost)) {
                context.owner().cancelTimer(id);
                silent.complete(quiet);
            }
        });
    }

    private boolean isQuiet(long now) {
        boolean live = connector.isLive();
        if (live) {
            liveAt = now;
        }
        boolean unsubscribed = live && !connector.isStopped() && subscriber.isInStep();
        if (!unsubscribed || counters.received != received || deliveries.held() > 0) {
            received = counters.received;
            quietSince = now;
        }
        return now - quietSince >= QUIET.toNanos();
    }

    private boolean isOver(long now, Duration atMost) {
        return (connector.isStopped() && deliveries.held() == 0)
                || now - liveAt >= AWAY.toNanos()
                || now - start >= atMost.toNanos();
    }
}
