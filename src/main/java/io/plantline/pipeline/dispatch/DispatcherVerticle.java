package io.plantline.pipeline.dispatch;

import io.plantline.config.Subscription;
import io.plantline.mqtt.CredentialSource;
import io.plantline.mqtt.MqttSession;
import io.plantline.mqtt.SessionOptions;
import io.plantline.mqtt.SessionStatus;
import io.plantline.mqtt.SessionStatus.State;
import io.plantline.pipeline.OnContext;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionMemory;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.internal.ContextInternal;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Holds one MQTT session and feeds the outboxes from it. */
public final class DispatcherVerticle extends VerticleBase {
    private final Wish first;
    private final AtomicReference<@Nullable SessionStatus> status = new AtomicReference<>();
    private final Dispatcher dispatcher;
    private final Promise<Void> subscribed = Promise.promise();
    private @Nullable MqttSession session;

    /**
     * What a dispatcher does.
     *
     * @param options of the session, once the subscriptions have their identifiers
     * @param subscriptions of this session and of others: whatever comes is put where it belongs
     * @param asks those of them that this session asks the broker for
     * @param outboxes by target name
     */
    public record Wish(
            Function<List<SessionOptions.Subscription>, SessionOptions> options,
            List<Subscription> subscriptions,
            List<Subscription> asks,
            Map<String, Outbox> outboxes,
            CredentialSource credentials) {
        public Wish {
            subscriptions = List.copyOf(subscriptions);
            asks = List.copyOf(asks);
            outboxes = Map.copyOf(outboxes);
        }
    }

    /** A dispatcher that does {@code first} when it starts. */
    public DispatcherVerticle(Wish first, SessionMemory sessions) {
        this.first = first;
        this.dispatcher = new Dispatcher(sessions);
    }

    /** A wish with identifiers for subscriptions and indices for targets. */
    private record Work(Dispatcher.Routing routing, SessionOptions options) {
        static Work of(Wish wish) {
            List<Outbox> order = new ArrayList<>();
            Map<String, Integer> index = new HashMap<>();
            wish.outboxes().forEach((target, outbox) -> {
                index.put(target, order.size());
                order.add(outbox);
            });
            SubscriptionIdentifiers identifiers = new SubscriptionIdentifiers(wish.subscriptions());
            List<RouteTable.Rule> rules = new ArrayList<>();
            List<SessionOptions.Subscription> asked = new ArrayList<>();
            for (Subscription subscription : wish.subscriptions()) {
                int identifier = identifiers.of(subscription);
                for (String name : subscription.targets()) {
                    Integer target = index.get(name);
                    if (target == null) {
                        throw new IllegalStateException("no outbox for " + name);
                    }
                    rules.add(new RouteTable.Rule(subscription.filter(), subscription.qos(), identifier, target));
                }
                if (wish.asks().contains(subscription)) {
                    asked.add(new SessionOptions.Subscription(subscription.filter(), subscription.qos(), identifier));
                }
            }
            return new Work(new Dispatcher.Routing(rules, order), wish.options().apply(asked));
        }
    }

    @Override
    public Future<?> start() {
        Work work = Work.of(first);
        return dispatcher.prepare(work.routing()).map(route -> {
            route.run();
            MqttSession opened = new MqttSession(
                    (ContextInternal) context,
                    work.options(),
                    first.credentials(),
                    dispatcher,
                    this::become,
                    Clock.systemUTC(),
                    new SecureRandom());
            session = opened;
            opened.start();
            return null;
        });
    }

    /**
     * Does something else from the next message on, with the same session. What the broker still sends for filters that go
     * reaches the targets they had.
     *
     * @param reconnect whether more than subscriptions differs that the broker must know
     * @return completes when the broker has agreed, or cannot be asked now; fails if it refuses: then the caller says what
     *     shall be instead
     */
    public Future<Void> change(Wish wish, boolean reconnect) {
        return onContext(open -> {
            Work work = Work.of(wish);
            return dispatcher.prepare(work.routing()).compose(route -> {
                route.run();
                return open.change(work.options(), wish.credentials(), reconnect);
            });
        });
    }

    private void become(SessionStatus next) {
        status.set(next);
        if (next.state() == State.SUBSCRIBED || next.state() == State.DEGRADED) {
            subscribed.tryComplete();
        }
    }

    /** Completes when the broker has agreed to subscriptions for the first time. */
    public Future<Void> subscribed() {
        return onContext(open -> subscribed.future());
    }

    /**
     * Gives the session up for good: unsubscribes, takes what the broker still has for it, and ends it.
     *
     * @param options of a session without subscriptions
     * @param atMost after so long it stays at the broker, if messages still come
     */
    public Future<Void> retire(SessionOptions options, Duration atMost) {
        return onContext(open -> open.retire(options, atMost));
    }

    /** Uses the certificates of now for every connection from the next one on; fails if the broker cannot be reached by them. */
    public Future<Void> renew() {
        return onContext(MqttSession::renew);
    }

    /** How the session was when its state last changed; counters are of {@link #refreshStatus}. */
    public @Nullable SessionStatus status() {
        return status.get();
    }

    /** The status with its counters of now. */
    public Future<SessionStatus> refreshStatus() {
        return onContext(open -> Future.succeededFuture(open.status()));
    }

    /** Takes nothing more from the broker. */
    public Future<Void> stopReading() {
        return onContext(open -> {
            open.stopReading();
            return Future.succeededFuture();
        });
    }

    private <T> Future<T> onContext(Function<MqttSession, Future<T>> work) {
        return OnContext.call(
                context, () -> session == null ? Future.failedFuture("not started") : work.apply(session));
    }

    @Override
    public Future<?> stop() {
        return session == null ? Future.succeededFuture() : session.close();
    }
}
