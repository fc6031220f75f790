package io.plantline.mqtt;

import io.plantline.model.TopicFilter;
import io.plantline.spi.Proxy;
import io.plantline.spi.TlsSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a session is to be.
 *
 * @param addresses of one broker and its replicas, tried in turn
 * @param version 5 or 4 (MQTT 3.1.1); 0 means 5, and 4 where the broker refuses it
 * @param clientId stable over restarts: the broker knows the session by it
 * @param keepAlive a silent broker is given up after one and a half of it
 * @param sessionExpiry how long the broker keeps the session while we are away
 * @param receiveMaximum QoS 1 and 2 messages in flight towards us
 * @param maxPacketSize bytes; a larger message is skipped, acknowledged and counted
 * @param maxUnacknowledged bytes held without acknowledgement before the session takes a break
 * @param uniquePayloads whether no two messages of a topic are the same, so that a copy is known by its content
 */
public record SessionOptions(
        List<Address> addresses,
        int version,
        String clientId,
        Duration keepAlive,
        Duration connectTimeout,
        Duration sessionExpiry,
        Duration reconnectMin,
        Duration reconnectMax,
        int receiveMaximum,
        int maxPacketSize,
        long maxUnacknowledged,
        boolean uniquePayloads,
        Optional<TlsSettings> tls,
        Optional<Proxy> proxy,
        Optional<Will> will,
        List<Subscription> subscriptions) {

    /** Where a broker listens. */
    public record Address(String host, int port) {
        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    /** What the broker publishes when we vanish. */
    public record Will(String topic, byte[] payload, int qos, boolean retain) {}

    /**
     * A filter to subscribe to.
     *
     * @param identifier MQTT 5 subscription identifier, or 0 for none
     */
    public record Subscription(TopicFilter filter, int qos, int identifier) {}

    public SessionOptions {
        addresses = List.copyOf(addresses);
        subscriptions = List.copyOf(subscriptions);
    }
}
