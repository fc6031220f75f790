package io.plantline.plugin.target.kafka;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.TlsSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;

/** What Kafka's clients are told. */
final class ProducerSettings {
    private static final int BATCH_BYTES = 128 << 10;

    private ProducerSettings() {}

    /**
     * A plan is one transaction, and takes as long as the way to the cluster makes it: 16 MiB at half a megabit a second. For so long
     * one that a crash has left open holds back readers of committed records, if no start follows that ends it.
     */
    private static final int TRANSACTION_MILLIS = 300_000;

    /**
     * For a producer.
     *
     * @param transactionalId none: without transactions
     */
    static Map<String, String> producer(
            KafkaTargetConfig config,
            String clientId,
            Optional<String> transactionalId,
            Optional<Credential> credential) {
        Map<String, String> settings = client(config, clientId, credential);
        int timeout = (int) config.timeout().toMillis();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, config.compression());
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, Integer.toString(BATCH_BYTES));
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(config.maxMessageBytes() + BATCH_BYTES));
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, Integer.toString(timeout));
        // A record that expires alone would be overtaken: the whole producer is given up instead, and all is sent
        // again.
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.toString(Integer.MAX_VALUE));
        transactionalId.ifPresent(id -> {
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
            settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, Integer.toString(TRANSACTION_MILLIS));
        });
        return settings;
    }

    /** For any client. */
    static Map<String, String> client(KafkaTargetConfig config, String clientId, Optional<Credential> credential) {
        Map<String, String> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers());
        settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, clientId);
        settings.put(
                CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG,
                Long.toString(Math.min(30_000, config.timeout().toMillis())));
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, "1000");
        settings.put(CommonClientConfigs.METADATA_MAX_AGE_CONFIG, "60000");
        boolean tls = config.tls().isPresent();
        boolean sasl = config.sasl().isPresent();
        settings.put(
                CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
                sasl ? (tls ? "SASL_SSL" : "SASL_PLAINTEXT") : (tls ? "SSL" : "PLAINTEXT"));
        config.tls().ifPresent(some -> tls(some, settings));
        config.sasl().ifPresent(some -> sasl(some.mechanism(), credential.orElseThrow(), settings));
        return settings;
    }

    private static void tls(TlsSettings tls, Map<String, String> settings) {
        settings.put(SslConfigs.SSL_ENABLED_PROTOCOLS_CONFIG, "TLSv1.2,TLSv1.3");
        if (tls.ca() != null) {
            settings.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
            settings.put(SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG, text(tls.ca()));
        }
        if (tls.certificate() != null && tls.key() != null) {
            settings.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, "PEM");
            settings.put(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG, text(tls.certificate()));
            settings.put(SslConfigs.SSL_KEYSTORE_KEY_CONFIG, text(tls.key()));
        }
    }

    private static void sasl(String mechanism, Credential credential, Map<String, String> settings) {
        String module = mechanism.equals("PLAIN")
                ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                : "org.apache.kafka.common.security.scram.ScramLoginModule";
        settings.put(SaslConfigs.SASL_MECHANISM, mechanism);
        settings.put(
                SaslConfigs.SASL_JAAS_CONFIG,
                module + " required username=" + quoted(credential.username()) + " password="
                        + quoted(new String(credential.password(), StandardCharsets.UTF_8)) + ";");
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String text(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw Failure.operator("tls-file-unreadable", file + ": " + e.getMessage())
                    .asException();
        }
    }
}
