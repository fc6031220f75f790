package io.plantline.plugin.target.kafka;

import io.plantline.spi.Endpoint;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TlsSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The cluster to write to.
 *
 * @param clusterIds that it may write to; none: the first one that it meets
 * @param topic of the records
 * @param key of the records; empty: none
 * @param maxMessageBytes of a record with its key and headers; a larger one is refused
 * @param timeout without any acknowledgement, after which a producer is given up
 */
record KafkaTargetConfig(
        List<Endpoint> brokers,
        List<String> clusterIds,
        Optional<TlsSettings> tls,
        Optional<Sasl> sasl,
        Template topic,
        Template key,
        String compression,
        int maxMessageBytes,
        boolean transactions,
        Duration timeout) {

    /** How we say who we are. */
    record Sasl(String mechanism, SecretReference credential) {}

    KafkaTargetConfig {
        brokers = List.copyOf(brokers);
        clusterIds = List.copyOf(clusterIds);
    }

    /** As Kafka and log lines name them. */
    String bootstrapServers() {
        return brokers.stream()
                .map(broker -> broker.host() + ":" + broker.port())
                .reduce((a, b) -> a + "," + b)
                .orElseThrow();
    }
}
