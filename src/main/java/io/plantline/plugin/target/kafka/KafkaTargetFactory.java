package io.plantline.plugin.target.kafka;

import com.google.auto.service.AutoService;
import io.plantline.plugin.target.kafka.KafkaTargetConfig.Sasl;
import io.plantline.spi.Endpoint;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code "type": "kafka"}. */
@AutoService(TargetFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class KafkaTargetFactory implements TargetFactory<KafkaTargetConfig> {
    @Override
    public String type() {
        return "kafka";
    }

    @Override
    public String schema() {
        return """
                {"description": "Records to Apache Kafka: acks=all, idempotent, the payload as it came.",
                 "required": ["bootstrap-servers", "topic"], "properties": {
                  "bootstrap-servers": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^([A-Za-z0-9._-]{1,253}|\\\\[[0-9A-Fa-f:.]{2,60}\\\\])(:[0-9]{1,5})?$"}, "description": "host or host:port (9092) of some brokers of the cluster."},
                  "cluster-ids": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "description": "Clusters that may be written to; where the address leads to another, the target is held. Without it: the first that was met, which is remembered in the data directory."},
                  "topic": {"type": "string", "minLength": 1, "maxLength": 249, "description": "Template of {topic}, the MQTT topic, and its levels {1}, {2}, ...; '/' becomes '.', what Kafka does not allow becomes '_'."},
                  "key": {"type": "string", "maxLength": 512, "default": "{topic}", "description": "Template of the key, which decides on the partition and so on what keeps its order; empty: no key."},
                  "compression": {"enum": ["none", "gzip", "snappy", "lz4", "zstd"], "default": "zstd"},
                  "max-message-bytes": {"$ref": "#/$defs/size", "default": "1MB", "description": "Of a record with key and headers; larger ones are refused. The topic's max.message.bytes must allow it."},
                  "transactions": {"type": "boolean", "default": false, "description": "A plan is a transaction that carries its position, so that consumers with isolation.level=read_committed see each message once. Needs a data-directory, and a cluster that allows transactions of five minutes (transaction.max.timeout.ms)."},
                  "sasl-mechanism": {"enum": ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], "default": "SCRAM-SHA-512"},
                  "credential": {"$ref": "#/$defs/credential"},
                  "tls": {"$ref": "#/$defs/tls"},
                  "timeout": {"$ref": "#/$defs/duration", "default": "30s", "description": "Without any acknowledgement."}}}""";
    }

    @Override
    public Set<String> identity() {
        return Set.of("bootstrap-servers", "topic", "key", "transactions");
    }

    @Override
    public KafkaTargetConfig configure(Settings settings) {
        boolean transactions = settings.flag("transactions", false);
        for (String key : List.of("lanes", "instances")) {
            if (transactions && settings.integer(key, 1) > 1) {
                settings.error(
                        key, "transactions follow each other, so there is one of them at a time", "leave it out");
            }
        }
        if (settings.has("sasl-mechanism") && !settings.has("credential")) {
            settings.error("sasl-mechanism", "SASL needs a credential", "add credential, or leave sasl-mechanism out");
        }
        Optional<Sasl> sasl = settings.credential("credential")
                .map(credential -> new Sasl(settings.string("sasl-mechanism", "SCRAM-SHA-512"), credential));
        return new KafkaTargetConfig(
                brokers(settings, settings.tls("tls").isPresent()),
                settings.has("cluster-ids") ? settings.strings("cluster-ids") : List.of(),
                settings.tls("tls"),
                sasl,
                template(settings, "topic", ""),
                template(settings, "key", "{topic}"),
                settings.string("compression", "zstd"),
                (int) Math.min(Integer.MAX_VALUE / 2, settings.size("max-message-bytes", 1_000_000)),
                transactions,
                settings.duration("timeout", Duration.ofSeconds(30)));
    }

    private static List<Endpoint> brokers(Settings settings, boolean encrypted) {
        List<Endpoint> brokers = new ArrayList<>();
        for (String address : settings.strings("bootstrap-servers")) {
            int colon = address.endsWith("]") ? -1 : address.lastIndexOf(':');
            int port = colon < 0 ? 9092 : Integer.parseInt(address.substring(colon + 1));
            if (port < 1 || port > 65_535) {
                settings.error("bootstrap-servers", port + " is not a port", "1 to 65535");
            }
            brokers.add(new Endpoint(encrypted, colon < 0 ? address : address.substring(0, colon), port));
        }
        return brokers;
    }

    private static Template template(Settings settings, String key, String otherwise) {
        String text = settings.string(key, otherwise);
        String problem = Template.problemWith(text);
        if (problem != null) {
            settings.error(key, problem, "{topic}, {1}, {2}, ...");
        }
        return new Template(text);
    }

    @Override
    public List<Endpoint> endpoints(KafkaTargetConfig config) {
        return config.brokers();
    }

    /** Sequences must not begin anew: they are what says whether a message is there. */
    @Override
    public boolean needsDataDirectory(KafkaTargetConfig config) {
        return config.transactions();
    }

    @Override
    public Target create(KafkaTargetConfig config, TargetContext context) {
        return new KafkaTarget(config, context);
    }
}
