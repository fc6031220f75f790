package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.plantline.model.Fingerprint;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Tells messages by what a broker sends again without a change: topic, payload, retain flag, and the subscriptions that the
 * copy is for, so that copies for others are not taken for it. For one thread.
 */
final class Fingerprinter {
    private final MessageDigest digest;

    Fingerprinter() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // Every Java platform has it.
        }
    }

    Fingerprint of(MqttPublishMessage packet) {
        byte[] topic = packet.variableHeader().topicName().getBytes(StandardCharsets.UTF_8);
        digest.update((byte) (packet.fixedHeader().isRetain() ? 1 : 0));
        number(topic.length);
        digest.update(topic);
        for (MqttProperties.MqttProperty<?> identifier :
                packet.variableHeader().properties().getProperties(MqttProperties.SUBSCRIPTION_IDENTIFIER)) {
            number((Integer) identifier.value());
        }
        number(0); // No subscription identifier is 0 (MQTT 5.0 section 3.8.2.1.2).
        for (ByteBuffer payload : packet.payload().nioBuffers()) {
            digest.update(payload);
        }
        ByteBuffer hash = ByteBuffer.wrap(digest.digest());
        return new Fingerprint(hash.getLong(), hash.getLong());
    }

    private void number(int value) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            digest.update((byte) (value >>> shift));
        }
    }
}
