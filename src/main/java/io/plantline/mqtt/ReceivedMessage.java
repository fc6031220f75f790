package io.plantline.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.plantline.model.Fingerprint;
import io.plantline.model.MessageProperties;
import io.plantline.model.PayloadSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A PUBLISH packet as a view on the network buffer; one object per session, pointed at one packet after another. */
public final class ReceivedMessage implements PayloadSource {
    private static final int[] NO_IDENTIFIERS = {};

    private @Nullable MqttPublishMessage packet;
    private String topic = "";
    private int qos;
    private long receivedAtMicros;
    private @Nullable Fingerprint fingerprint;

    ReceivedMessage pointAt(
            MqttPublishMessage packet,
            String topic,
            int qos,
            long receivedAtMicros,
            @Nullable Fingerprint fingerprint) {
        this.packet = packet;
        this.topic = topic;
        this.qos = qos;
        this.receivedAtMicros = receivedAtMicros;
        this.fingerprint = fingerprint;
        return this;
    }

    void forget() {
        packet = null;
    }

    private MqttPublishMessage packet() {
        if (packet == null) {
            throw new IllegalStateException("a received message is valid during the call only");
        }
        return packet;
    }

    public String topic() {
        return topic;
    }

    /** Packet identifier; 0 at QoS 0. */
    public int packetId() {
        return qos == 0 ? 0 : packet().variableHeader().packetId();
    }

    /** QoS the broker delivered with. */
    public int qos() {
        return qos;
    }

    public boolean retained() {
        return packet().fixedHeader().isRetain();
    }

    public boolean redelivered() {
        return packet().fixedHeader().isDup();
    }

    /** What tells it from all others; only at QoS 2, and only if messages are known by their contents. */
    public @Nullable Fingerprint fingerprint() {
        return fingerprint;
    }

    /** When the packet was decoded, microseconds since 1970. */
    public long receivedAtMicros() {
        return receivedAtMicros;
    }

    public int payloadLength() {
        return packet().payload().readableBytes();
    }

    @Override
    public void copyTo(byte[] target, int offset) {
        ByteBuf payload = packet().payload();
        payload.getBytes(payload.readerIndex(), target, offset, payload.readableBytes());
    }

    /** The properties a target may want. */
    public MessageProperties properties() {
        MqttProperties properties = packet().variableHeader().properties();
        if (properties.isEmpty()) {
            return MessageProperties.NONE;
        }
        List<MessageProperties.Pair> user = new ArrayList<>();
        for (MqttProperties.MqttProperty<?> property : properties.getProperties(MqttProperties.USER_PROPERTY)) {
            if (property.value() instanceof MqttProperties.StringPair pair) {
                user.add(new MessageProperties.Pair(pair.key, pair.value));
            }
        }
        String contentType = string(properties, MqttProperties.CONTENT_TYPE);
        String responseTopic = string(properties, MqttProperties.RESPONSE_TOPIC);
        return contentType == null && responseTopic == null && user.isEmpty()
                ? MessageProperties.NONE
                : new MessageProperties(contentType, responseTopic, user);
    }

    /** The identifiers of the subscriptions that this copy was sent for (MQTT 5.0 section 3.3.2.3.8). */
    public int[] subscriptionIdentifiers() {
        MqttProperties properties = packet().variableHeader().properties();
        if (properties.isEmpty()) {
            return NO_IDENTIFIERS;
        }
        return properties.getProperties(MqttProperties.SUBSCRIPTION_IDENTIFIER).stream()
                .mapToInt(property -> (Integer) property.value())
                .toArray();
    }

    private static @Nullable String string(MqttProperties properties, int type) {
        MqttProperties.MqttProperty<?> property = properties.getProperty(type);
        return property == null ? null : String.valueOf(property.value());
    }
}
