package io.plantline.pipeline;

import io.plantline.model.Fingerprint;
import java.util.Arrays;
import java.util.List;

/**
 * Packet identifiers of QoS 2 messages (MQTT 5.0 section 4.3.3).
 *
 * @param generation of the session they belong to: when the broker forgets a session, its identifiers mean nothing
 * @param contents of the messages, in the same order, if messages are known by them; else empty
 */
public record Identifiers(long generation, int[] packetIds, List<Fingerprint> contents) {
    public static final Identifiers NONE = new Identifiers(0, new int[0]);
    private static final int COUNT_BITS = 48;

    public Identifiers {
        contents = List.copyOf(contents);
    }

    /** Identifiers of messages whose contents do not matter. */
    public Identifiers(long generation, int[] packetIds) {
        this(generation, packetIds, List.of());
    }

    /** The first generation of a connection: generations of several connections are never the same. */
    public static long firstGeneration(int connection) {
        return (long) connection << COUNT_BITS;
    }

    /** Which connection a generation belongs to, from 0. */
    public static int connection(long generation) {
        return (int) (generation >>> COUNT_BITS);
    }

    public boolean isEmpty() {
        return packetIds.length == 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Identifiers identifiers
                && generation == identifiers.generation
                && Arrays.equals(packetIds, identifiers.packetIds)
                && contents.equals(identifiers.contents);
    }

    @Override
    public int hashCode() {
        return 31 * Long.hashCode(generation) + Arrays.hashCode(packetIds);
    }
}
