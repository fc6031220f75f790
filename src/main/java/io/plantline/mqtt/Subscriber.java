package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttProperties;
import io.plantline.mqtt.SessionOptions.Subscription;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Subscribes, and knows what the broker made of it. */
final class Subscriber {
    private final List<Subscription> subscriptions;
    private final Map<Integer, List<Subscription>> asked = new HashMap<>();
    private final List<String> degraded = new ArrayList<>();
    private final List<Subscription> granted = new ArrayList<>();
    private int nextPacketId;

    Subscriber(List<Subscription> subscriptions) {
        this.subscriptions = subscriptions;
    }

    /** What the broker sends messages for. */
    List<Subscription> granted() {
        return granted;
    }

    /** What was not granted as asked; empty if all is well. */
    List<String> degraded() {
        return degraded;
    }

    /** Sends what is to be subscribed; a packet each where identifiers tell subscriptions apart, else one for all. */
    void start(MqttConnection connection, MqttProperties server) {
        asked.clear();
        degraded.clear();
        granted.clear();
        boolean identifiers = connection.version() == 5
                && available(server, MqttProperties.SUBSCRIPTION_IDENTIFIER_AVAILABLE)
                && subscriptions.stream().anyMatch(subscription -> subscription.identifier() > 0);
        if (identifiers) {
            for (Subscription subscription : subscriptions) {
                send(connection, subscription.identifier(), List.of(subscription));
            }
        } else {
            send(connection, 0, subscriptions);
        }
    }

    private static boolean available(MqttProperties properties, int type) {
        MqttProperties.MqttProperty<?> property = properties.getProperty(type);
        return property == null || !Integer.valueOf(0).equals(property.value());
    }

    private void send(MqttConnection connection, int identifier, List<Subscription> some) {
        nextPacketId = nextPacketId % 65_535 + 1;
        asked.put(nextPacketId, some);
        connection.send(Packets.subscribe(nextPacketId, connection.version(), identifier, some));
    }

    /**
     * Takes a SUBACK.
     *
     * @return whether it was the last one
     */
    boolean acknowledged(int packetId, List<Integer> codes) {
        List<Subscription> some = asked.remove(packetId);
        if (some == null) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            int code = i < codes.size() ? codes.get(i) : 0x80;
            Subscription subscription = some.get(i);
            if (code >= 0x80) {
                degraded.add(subscription.filter() + ": refused, reason 0x" + Integer.toHexString(code));
                continue;
            }
            granted.add(subscription);
            if (code < subscription.qos()) {
                degraded.add(subscription.filter() + ": granted QoS " + code + ", asked " + subscription.qos());
            }
        }
        return asked.isEmpty();
    }
}
