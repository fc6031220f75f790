package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttProperties;
import io.plantline.model.Failure;
import io.plantline.model.TopicFilter;
import io.plantline.mqtt.SessionOptions.Subscription;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the broker's subscriptions in step with what is wanted, on a session that lives on: subscribes what is missing
 * or different, and when that is granted, unsubscribes what is not wanted any more. What the broker refuses it is asked for
 * again, now and then: its access rules may be mended while the connection lasts.
 */
final class Subscriber {
    /** So often a deadline is put off, or what was lost would be waited for as long as messages come. */
    private static final int PATIENCE = 30;

    private final ContextInternal context;
    private final MessageHandler handler;
    private final Runnable whenSettled;
    private List<Subscription> wanted;
    private Duration timeout;
    private Duration askAgainAfter;

    /** What the broker sends messages for, as it was asked. */
    private final Map<TopicFilter, Subscription> granted = new LinkedHashMap<>();

    /** What was not granted as asked, and how. */
    private final Map<TopicFilter, String> degraded = new LinkedHashMap<>();

    /** Filters that the broker may have, be it from an earlier start. */
    private final Set<String> atBroker = new HashSet<>();

    private final Map<Integer, List<Subscription>> asked = new HashMap<>();
    private @Nullable MqttConnection connection;
    private MqttProperties server = MqttProperties.NO_PROPERTIES;
    private boolean busy;
    private boolean asking;
    private int unsubscribing;
    private Set<String> leaving = Set.of();
    private int nextPacketId;
    private long timer = -1;
    private long askAgain = -1;
    private boolean refused;
    private @Nullable Promise<Void> change;

    /** A subscriber without a connection; {@code whenSettled} runs whenever the broker has answered all that was asked. */
    Subscriber(ContextInternal context, SessionOptions options, MessageHandler handler, Runnable whenSettled) {
        this.context = context;
        this.handler = handler;
        this.whenSettled = whenSettled;
        this.wanted = options.subscriptions();
        this.timeout = options.connectTimeout();
        this.askAgainAfter = options.reconnectMax();
        atBroker.addAll(handler.filters());
    }

    /** What was not granted as asked; empty if all is well. */
    List<String> degraded() {
        return List.copyOf(degraded.values());
    }

    /** Whether the broker was asked for anything on this connection. */
    boolean hasAsked() {
        return asking;
    }

    /** The broker has forgotten the session, and its subscriptions with it. */
    void forgotten() {
        granted.clear();
        degraded.clear();
        atBroker.clear();
    }

    /** A connection whose CONNACK has come: asks for what is not as it should be. */
    void connected(MqttConnection opened, MqttProperties properties) {
        connection = opened;
        server = properties;
        asking = false;
        refused = false;
        settle();
    }

    /** The connection is read again. */
    void resumed(MqttConnection open) {
        connection = open;
        if (!isInStep()) {
            settle();
        }
    }

    /** Nothing can be asked for now; what is changed is asked for when that is over. */
    void interrupted() {
        connection = null;
        busy = false;
        asked.clear();
        unsubscribing = 0;
        cancelTimer();
        cancelAskAgain();
        finish();
    }

    /**
     * Wants something else from now on.
     *
     * @return completes when the broker has agreed, or cannot be asked now; fails if it refuses one of them: then nothing
     *     is unsubscribed
     */
    Future<Void> change(SessionOptions options) {
        wanted = options.subscriptions();
        degraded.keySet().retainAll(wanted.stream().map(Subscription::filter).toList());
        timeout = options.connectTimeout();
        askAgainAfter = options.reconnectMax();
        Promise<Void> promise = context.promise();
        change = promise;
        refused = false;
        if (connection == null) {
            finish();
        } else if (!busy) {
            settle();
        }
        return promise.future();
    }

    /** Whether the broker has every subscription that is wanted, and no other. */
    boolean isInStep() {
        return missing().isEmpty() && surplus().isEmpty();
    }

    private List<Subscription> missing() {
        return wanted.stream()
                .filter(subscription -> !subscription.equals(granted.get(subscription.filter()))
                        || degraded.containsKey(subscription.filter()))
                .toList();
    }

    private Set<String> surplus() {
        Set<String> surplus = new HashSet<>(atBroker);
        wanted.forEach(subscription -> surplus.remove(subscription.filter().text()));
        return surplus;
    }

    private void settle() {
        MqttConnection open = connection;
        if (open == null || isInStep()) {
            settled();
        } else {
            ask(open, missing());
        }
    }

    private void ask(MqttConnection open, List<Subscription> missing) {
        cancelAskAgain();
        busy = true;
        asking = true;
        missing.forEach(subscription -> atBroker.add(subscription.filter().text()));
        handler.filters(Set.copyOf(atBroker))
                .onSuccess(v -> {
                    if (open == connection) {
                        subscribe(open, missing);
                    }
                })
                .onFailure(e -> open.close("the subscriptions cannot be written down: " + e.getMessage()));
    }

    /** A packet each where identifiers tell subscriptions apart, else one for all. */
    private void subscribe(MqttConnection open, List<Subscription> missing) {
        if (missing.isEmpty()) {
            unsubscribe(open);
            return;
        }
        boolean identifiers = open.version() == 5
                && available(server, MqttProperties.SUBSCRIPTION_IDENTIFIER_AVAILABLE)
                && wanted.stream().anyMatch(subscription -> subscription.identifier() > 0);
        if (identifiers) {
            missing.forEach(subscription -> ask(open, subscription.identifier(), List.of(subscription)));
        } else {
            ask(open, 0, missing);
        }
        await(open, "SUBACK");
    }

    private static boolean available(MqttProperties properties, int type) {
        MqttProperties.MqttProperty<?> property = properties.getProperty(type);
        return property == null || !Integer.valueOf(0).equals(property.value());
    }

    private void ask(MqttConnection open, int identifier, List<Subscription> some) {
        asked.put(packetId(), some);
        open.send(Packets.subscribe(nextPacketId, open.version(), identifier, some));
    }

    private int packetId() {
        nextPacketId = nextPacketId % 65_535 + 1;
        return nextPacketId;
    }

    private void await(MqttConnection open, String packet) {
        await(open, packet, timeout.toMillis(), PATIENCE);
    }

    /** While something comes the answer may be behind it: a broker sends first what the session has, and it may be large. */
    private void await(MqttConnection open, String packet, long millis, int times) {
        cancelTimer();
        timer = context.setTimer(Math.max(1, millis), id -> {
            timer = -1;
            long left = timeout.toMillis() - open.silentMillis();
            if (left > 0 && times > 0) {
                await(open, packet, left, times - 1);
            } else {
                open.close("no " + packet + " within " + timeout.toMillis() + " ms");
            }
        });
    }

    void subAck(int packetId, List<Integer> codes) {
        List<Subscription> some = asked.remove(packetId);
        MqttConnection open = connection;
        if (some == null || open == null) {
            return;
        }
        for (int i = 0; i < some.size(); i++) {
            take(some.get(i), i < codes.size() ? codes.get(i) : 0x80);
        }
        if (asked.isEmpty()) {
            cancelTimer();
            if (change != null && refused) {
                // What is not wanted any more goes on until somebody decides.
                handler.granted(List.copyOf(granted.values()));
                settled();
            } else if (isUnasked()) {
                // More was wanted meanwhile, and comes first.
                settle();
            } else {
                handler.granted(List.copyOf(granted.values()));
                unsubscribe(open);
            }
        }
    }

    /** Whether something is wanted that the broker was not asked for. */
    private boolean isUnasked() {
        return wanted.stream()
                .anyMatch(subscription -> !degraded.containsKey(subscription.filter())
                        && !subscription.equals(granted.get(subscription.filter())));
    }

    private void take(Subscription subscription, int code) {
        TopicFilter filter = subscription.filter();
        degraded.remove(filter);
        if (code >= 0x80) {
            degraded.put(filter, filter + ": refused, reason 0x" + Integer.toHexString(code));
            granted.remove(filter);
            atBroker.remove(filter.text());
            refused = true;
            return;
        }
        granted.put(filter, subscription);
        if (code < subscription.qos()) {
            degraded.put(filter, filter + ": granted QoS " + code + ", asked " + subscription.qos());
        }
    }

    private void unsubscribe(MqttConnection open) {
        leaving = surplus();
        if (leaving.isEmpty()) {
            settled();
            return;
        }
        unsubscribing = packetId();
        open.send(Packets.unsubscribe(unsubscribing, leaving));
        await(open, "UNSUBACK");
    }

    /** Whatever the broker says: it has no such subscription afterwards. */
    void unsubAck(int packetId) {
        if (packetId != unsubscribing || connection == null) {
            return;
        }
        unsubscribing = 0;
        cancelTimer();
        atBroker.removeAll(leaving);
        granted.keySet().removeIf(filter -> leaving.contains(filter.text()));
        degraded.keySet().removeIf(filter -> leaving.contains(filter.text()));
        leaving = Set.of();
        handler.filters(Set.copyOf(atBroker));
        if (!isUnasked()) {
            handler.granted(List.copyOf(granted.values()));
        }
        settled();
    }

    private void settled() {
        busy = false;
        boolean more = connection != null && (isUnasked() || (!surplus().isEmpty() && !refused));
        if (more) {
            settle();
            return;
        }
        boolean undecided = change != null && refused;
        finish();
        whenSettled.run();
        if (!undecided) {
            askAgainLater();
        }
    }

    private void askAgainLater() {
        List<Subscription> refusedStill = refusedStill();
        if (!refusedStill.isEmpty() && askAgain < 0) {
            askAgain = context.setTimer(Math.max(1, askAgainAfter.toMillis()), id -> {
                askAgain = -1;
                MqttConnection open = connection;
                if (open != null && !busy) {
                    ask(open, refusedStill());
                }
            });
        }
    }

    private List<Subscription> refusedStill() {
        return wanted.stream()
                .filter(subscription -> !granted.containsKey(subscription.filter()))
                .toList();
    }

    private void cancelAskAgain() {
        if (askAgain >= 0) {
            context.owner().cancelTimer(askAgain);
            askAgain = -1;
        }
    }

    private void finish() {
        Promise<Void> waiting = change;
        change = null;
        if (waiting == null) {
            return;
        }
        if (refused) {
            String what = wanted.stream()
                    .map(Subscription::filter)
                    .filter(degraded::containsKey)
                    .map(degraded::get)
                    .collect(Collectors.joining(", "));
            waiting.fail(Failure.operator("MQTT-REFUSED", "the broker does not grant " + what)
                    .asException());
        } else {
            waiting.complete();
        }
    }

    private void cancelTimer() {
        if (timer >= 0) {
            context.owner().cancelTimer(timer);
            timer = -1;
        }
    }
}
