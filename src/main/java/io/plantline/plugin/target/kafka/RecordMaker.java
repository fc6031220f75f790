package io.plantline.plugin.target.kafka;

import io.plantline.model.Failure;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.model.Plan;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** Makes records of messages. The payload is the value as it is; what MQTT says beside it is in headers. */
final class RecordMaker {
    private static final Pattern NOT_ALLOWED = Pattern.compile("[^A-Za-z0-9._-]");
    private static final int MAX_TOPIC = 249;
    private static final int KNOWN_TOPICS = 10_000;
    /** What a record takes at most beside key, value and headers: its own header and that of a batch. */
    private static final int OVERHEAD = 100;

    private final KafkaTargetConfig config;
    private final Map<String, Destination> known = new HashMap<>();

    RecordMaker(KafkaTargetConfig config) {
        this.config = config;
    }

    /**
     * Where messages of one MQTT topic go.
     *
     * @param topic null, if Kafka can have no such topic
     */
    private record Destination(@Nullable String topic, byte @Nullable [] key, byte[] mqttTopic) {}

    /** A record, or why there can be none. */
    record Made(
            @Nullable ProducerRecord<byte[], byte[]> record,
            @Nullable Failure failure) {}

    Made make(Plan plan, MessageCursor message) {
        Destination to = destination(message.topic());
        if (to.topic == null) {
            return new Made(null, Failure.reject("no-topic", "Kafka has no topic for " + message.topic()));
        }
        RecordHeaders headers = headers(plan, message, to);
        int size = OVERHEAD + message.payloadLength() + (to.key == null ? 0 : to.key.length) + size(headers);
        if (size > config.maxMessageBytes()) {
            return new Made(
                    null,
                    Failure.reject(
                            "record-too-large",
                            size + " bytes are more than max-message-bytes, " + config.maxMessageBytes()));
        }
        return new Made(
                new ProducerRecord<>(
                        to.topic, null, message.receivedAtMicros() / 1000, to.key, message.payload(), headers),
                null);
    }

    private Destination destination(String mqttTopic) {
        Destination found = known.get(mqttTopic);
        if (found == null) {
            if (known.size() >= KNOWN_TOPICS) {
                known.clear();
            }
            String key = config.key().fill(mqttTopic);
            found = new Destination(
                    topic(config.topic().fill(mqttTopic)),
                    config.key().text().isEmpty() ? null : bytes(key),
                    bytes(mqttTopic));
            known.put(mqttTopic, found);
        }
        return found;
    }

    /** As Kafka allows it; null if that is not possible. */
    static @Nullable String topic(String filled) {
        String name = NOT_ALLOWED.matcher(filled.replace('/', '.')).replaceAll("_");
        return name.isEmpty() || name.length() > MAX_TOPIC || name.equals(".") || name.equals("..") ? null : name;
    }

    private static RecordHeaders headers(Plan plan, MessageCursor message, Destination to) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("plantline.message-id", bytes(plan.messageId(message.sequence())));
        headers.add("mqtt.topic", to.mqttTopic);
        headers.add("mqtt.qos", bytes(Integer.toString(message.qos())));
        headers.add("mqtt.retained", bytes(Boolean.toString(message.retained())));
        headers.add("mqtt.received-at", bytes(Long.toString(message.receivedAtMicros())));
        MessageProperties properties = message.properties();
        if (properties.contentType() != null) {
            headers.add("mqtt.content-type", bytes(properties.contentType()));
        }
        if (properties.responseTopic() != null) {
            headers.add("mqtt.response-topic", bytes(properties.responseTopic()));
        }
        for (MessageProperties.Pair pair : properties.user()) {
            headers.add("mqtt.user." + pair.name(), bytes(pair.value()));
        }
        return headers;
    }

    private static int size(RecordHeaders headers) {
        int size = 0;
        for (Header header : headers) {
            size += 10 + 3 * header.key().length() + header.value().length;
        }
        return size;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
