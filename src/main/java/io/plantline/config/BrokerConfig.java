package io.plantline.config;

import io.plantline.spi.Proxy;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TlsSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The broker to subscribe at, and the session with it.
 *
 * @param addresses tried in turn, all of them the same broker or its replicas
 * @param connections sessions over which subscriptions are spread
 * @param version 5 or 4 (MQTT 3.1.1) if the document insists, else 0: MQTT 5, and 3.1.1 where the broker refuses it
 * @param receiveMaximum QoS 1 and 2 messages the broker may have in flight towards us
 * @param maxPacketSize bytes of the largest packet we take
 * @param material that the session uses
 * @param maxUnacknowledged bytes of messages held without acknowledgement before the session takes a break
 * @param uniquePayloads whether no two messages of a topic have the same payload
 */
public record BrokerConfig(
        List<BrokerAddress> addresses,
        int connections,
        int version,
        String clientId,
        Optional<SecretReference> credential,
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
        Material material) {

    /** Where a broker listens. */
    public record BrokerAddress(String host, int port) {
        @Override
        public String toString() {
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** What the broker publishes when we vanish (MQTT 5.0 section 3.1.2.5). */
    public record Will(String topic, String payload, int qos, boolean retain) {}

    /** Whether the broker would notice the difference only in a new connection. */
    boolean differsOnTheWire(BrokerConfig other) {
        return !equals(new BrokerConfig(
                other.addresses,
                connections,
                other.version,
                other.clientId,
                other.credential,
                other.keepAlive,
                connectTimeout,
                other.sessionExpiry,
                reconnectMin,
                reconnectMax,
                other.receiveMaximum,
                other.maxPacketSize,
                maxUnacknowledged,
                uniquePayloads,
                other.tls,
                other.proxy,
                other.will,
                other.material));
    }

    public BrokerConfig {
        addresses = List.copyOf(addresses);
    }
}
