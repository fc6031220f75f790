package io.plantline.pipeline;

/**
 * Packet identifiers of QoS 2 messages (MQTT 5.0 section 4.3.3).
 *
 * @param generation of the session they belong to: when the broker forgets a session, its identifiers mean nothing
 */
public record Identifiers(long generation, int[] packetIds) {
    public static final Identifiers NONE = new Identifiers(0, new int[0]);
}
