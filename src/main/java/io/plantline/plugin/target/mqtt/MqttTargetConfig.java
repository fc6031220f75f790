package io.plantline.plugin.target.mqtt;

import io.plantline.spi.Proxy;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TlsSettings;
import java.time.Duration;
import java.util.Optional;

/**
 * The broker to publish to.
 *
 * @param topic template of {@code {topic}}, the topic a message came on
 * @param retain null: as the message came
 * @param maxInFlight messages sent and not acknowledged
 * @param maxPacketSize bytes; a message that takes more is refused
 * @param timeout without any acknowledgement, after which a connection is given up
 */
record MqttTargetConfig(
        String host,
        int port,
        Optional<SecretReference> credential,
        Optional<TlsSettings> tls,
        Optional<Proxy> proxy,
        Optional<String> clientId,
        String topic,
        int qos,
        Retain retain,
        int maxInFlight,
        int maxPacketSize,
        Duration keepAlive,
        Duration timeout) {

    /** Whether messages are published retained. */
    enum Retain {
        NEVER,
        ALWAYS,
        AS_RECEIVED
    }

    /** Where a message that came on {@code source} goes. */
    String topicFor(String source) {
        return topic.equals("{topic}") ? source : topic.replace("{topic}", source);
    }
}
