package io.plantline.plugin.target.mqtt;

import com.google.auto.service.AutoService;
import io.plantline.model.TopicFilter;
import io.plantline.plugin.target.mqtt.MqttTargetConfig.Retain;
import io.plantline.spi.Endpoint;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code "type": "mqtt"}. */
@AutoService(TargetFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class MqttTargetFactory implements TargetFactory<MqttTargetConfig> {
    @Override
    public String type() {
        return "mqtt";
    }

    /** MQTT has room for no more. */
    private static final int MAX_PACKET = 268_435_455;

    @Override
    public String schema() {
        return """
                {"description": "Messages to another MQTT broker, with MQTT 3.1.1.",
                 "required": ["mqtt-broker-host"], "properties": {
                  "mqtt-broker-host": {"type": "string", "pattern": "^([A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,60})$", "description": "host name or address of the broker"},
                  "mqtt-broker-port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "Default: 1883, with TLS 8883."},
                  "mqtt-credential": {"$ref": "#/$defs/credential"},
                  "tls": {"$ref": "#/$defs/tls"},
                  "proxy": {"$ref": "#/$defs/proxy"},
                  "client-id": {"type": "string", "minLength": 1, "maxLength": 200, "description": "Default: a random one."},
                  "topic": {"type": "string", "minLength": 1, "maxLength": 512, "default": "{topic}", "description": "Template of {topic}, the topic a message came on."},
                  "qos": {"type": "integer", "enum": [0, 1, 2], "default": 1},
                  "retain": {"enum": ["never", "always", "as-received"], "default": "never"},
                  "max-in-flight": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "Messages sent and not acknowledged. Default: 1000, with QoS 2 20, as many as Mosquitto takes."},
                  "max-packet-size": {"$ref": "#/$defs/size", "default": 268435455, "description": "What the broker takes, with topic and header. Larger messages are refused; many brokers end the connection at them."},
                  "keep-alive": {"$ref": "#/$defs/duration", "default": "15s"},
                  "timeout": {"$ref": "#/$defs/duration", "default": "30s", "description": "Without any acknowledgement."}}}""";
    }

    @Override
    public Set<String> identity() {
        return Set.of("mqtt-broker-host", "mqtt-broker-port", "topic");
    }

    @Override
    public MqttTargetConfig configure(Settings settings) {
        boolean tls = settings.tls("tls").isPresent();
        String topic = settings.string("topic", "{topic}");
        String literal = topic.replace("{topic}", "");
        if (literal.indexOf('+') >= 0 || literal.indexOf('#') >= 0 || literal.indexOf('{') >= 0) {
            settings.error("topic", "\"" + topic + "\" is not a topic template", "plain levels and {topic}");
        }
        Duration keepAlive = settings.duration("keep-alive", Duration.ofSeconds(15));
        if (keepAlive.toSeconds() > 65_535) {
            settings.error("keep-alive", "MQTT has room for 65,535 seconds", "15s is usual");
        }
        if (settings.has("client-id") && settings.integer("lanes", 1) > 1) {
            settings.error(
                    "client-id",
                    "several lanes mean several connections, and a broker lets an identifier in once",
                    "leave client-id out, or set lanes to 1");
        }
        int qos = settings.integer("qos", 1);
        return new MqttTargetConfig(
                settings.string("mqtt-broker-host"),
                settings.integer("mqtt-broker-port", tls ? 8883 : 1883),
                settings.credential("mqtt-credential"),
                settings.tls("tls"),
                settings.proxy("proxy"),
                settings.optionalString("client-id"),
                topic,
                qos,
                switch (settings.string("retain", "never")) {
                    case "always" -> Retain.ALWAYS;
                    case "as-received" -> Retain.AS_RECEIVED;
                    default -> Retain.NEVER;
                },
                settings.integer("max-in-flight", qos == 2 ? 20 : 1000),
                (int) Math.min(MAX_PACKET, settings.size("max-packet-size", MAX_PACKET)),
                keepAlive,
                settings.duration("timeout", Duration.ofSeconds(30)));
    }

    @Override
    public List<Endpoint> endpoints(MqttTargetConfig config) {
        return List.of(new Endpoint(config.tls().isPresent(), config.host(), config.port()));
    }

    @Override
    public @Nullable TopicFilter republishes(MqttTargetConfig config, TopicFilter filter) {
        String out = config.topicFor(filter.pattern());
        return TopicFilter.problemWith(out) == null ? TopicFilter.of(out) : TopicFilter.of("#");
    }

    @Override
    public Target create(MqttTargetConfig config, TargetContext context) {
        return new MqttTarget(config, context);
    }
}
