package io.plantline.pipeline.dispatch;

import io.plantline.config.Subscription;
import io.plantline.mqtt.CredentialSource;
import io.plantline.mqtt.MqttSession;
import io.plantline.mqtt.SessionOptions;
import io.plantline.mqtt.SessionStatus;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionGenerations;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.internal.ContextInternal;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Holds one MQTT session and feeds the outboxes from it. */
public final class DispatcherVerticle extends VerticleBase {
    private final Function<List<SessionOptions.Subscription>, SessionOptions> options;
    private final List<Subscription> subscriptions;
    private final Map<String, Outbox> outboxes;
    private final SessionGenerations sessions;
    private final CredentialSource credentials;
    private final AtomicReference<@Nullable SessionStatus> status = new AtomicReference<>();
    private @Nullable MqttSession session;

    /**
     * A dispatcher.
     *
     * @param options of the session, once the subscriptions have their identifiers
     * @param outboxes by target name
     */
    public DispatcherVerticle(
            Function<List<SessionOptions.Subscription>, SessionOptions> options,
            List<Subscription> subscriptions,
            Map<String, Outbox> outboxes,
            SessionGenerations sessions,
            CredentialSource credentials) {
        this.options = options;
        this.subscriptions = List.copyOf(subscriptions);
        this.outboxes = Map.copyOf(outboxes);
        this.sessions = sessions;
        this.credentials = credentials;
    }

    @Override
    public Future<?> start() {
        List<Outbox> order = new ArrayList<>();
        Map<String, Integer> index = new java.util.HashMap<>();
        outboxes.forEach((target, outbox) -> {
            index.put(target, order.size());
            order.add(outbox);
        });
        SubscriptionIdentifiers identifiers = new SubscriptionIdentifiers(subscriptions);
        List<RouteTable.Rule> rules = new ArrayList<>();
        List<SessionOptions.Subscription> asked = new ArrayList<>();
        for (Subscription subscription : subscriptions) {
            int identifier = identifiers.of(subscription);
            for (String name : subscription.targets()) {
                Integer target = index.get(name);
                if (target == null) {
                    throw new IllegalStateException("no outbox for " + name);
                }
                rules.add(new RouteTable.Rule(subscription.filter(), subscription.qos(), identifier, target));
            }
            asked.add(new SessionOptions.Subscription(subscription.filter(), subscription.qos(), identifier));
        }
        MqttSession opened = new MqttSession(
                (ContextInternal) context,
                options.apply(asked),
                credentials,
                new Dispatcher(rules, order, sessions),
                status::set,
                Clock.systemUTC(),
                new SecureRandom());
        session = opened;
        opened.start();
        return Future.succeededFuture();
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
        Promise<T> promise = Promise.promise();
        context.runOnContext(v -> {
            MqttSession open = session;
            if (open == null) {
                promise.fail("not started");
            } else {
                work.apply(open).onComplete(promise);
            }
        });
        return promise.future();
    }

    @Override
    public Future<?> stop() {
        return session == null ? Future.succeededFuture() : session.close();
    }
}
