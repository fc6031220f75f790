package io.plantline.pipeline;

/**
 * Packet identifiers of QoS 2 messages (MQTT 5.0 section 4.3.3).
 *
 * @param generation of the session they belong to: when the broker forgets a session, its identifiers mean nothing
 */
public record Identifiers(long generation, int[] packetIds) {
    public static final Identifiers NONE = new Identifiers(0, new int[0]);
    private static final int COUNT_BITS = 48;

    /** The first generation of a connection: generations of several connections are never the same. */
    public static long firstGeneration(int connection) {
        return (long) connection << COUNT_BITS;
    }

    /** Which connection a generation belongs to, from 0. */
    public static int connection(long generation) {
        return (int) (generation >>> COUNT_BITS);
    }
}
