package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.Identifiers;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;

/**
 * Packet identifiers of QoS 2 messages that are stored and not released, of the present session of each connection: an
 * identifier of a session that the broker has forgotten means nothing.
 */
public final class HeldIdentifiers {
    private final Map<Integer, Session> sessions = new TreeMap<>();

    private static final class Session {
        private final long generation;
        private final BitSet identifiers = new BitSet();

        Session(long generation) {
            this.generation = generation;
        }
    }

    /** A copy that goes its own way. */
    public HeldIdentifiers copy() {
        HeldIdentifiers copy = new HeldIdentifiers();
        sessions.forEach((connection, session) -> {
            Session twin = new Session(session.generation);
            twin.identifiers.or(session.identifiers);
            copy.sessions.put(connection, twin);
        });
        return copy;
    }

    /** Remembers some; those of an older session are not, and those of a newer one end the one before. */
    public void add(long generation, int[] some) {
        int connection = Identifiers.connection(generation);
        Session session = sessions.get(connection);
        if (session == null || session.generation < generation) {
            session = new Session(generation);
            sessions.put(connection, session);
        }
        if (session.generation == generation) {
            for (int identifier : some) {
                session.identifiers.set(identifier);
            }
        }
    }

    /** Forgets some. */
    public void remove(long generation, int[] some) {
        Session session = sessions.get(Identifiers.connection(generation));
        if (session != null && session.generation == generation) {
            for (int identifier : some) {
                session.identifiers.clear(identifier);
            }
        }
    }

    /** Those of one session. */
    public BitSet of(long generation) {
        Session session = sessions.get(Identifiers.connection(generation));
        return session == null || session.generation != generation
                ? new BitSet()
                : (BitSet) session.identifiers.clone();
    }

    /** Those of these that are held. */
    public int[] heldOf(long generation, int[] some) {
        Session session = sessions.get(Identifiers.connection(generation));
        return session == null || session.generation != generation
                ? new int[0]
                : Arrays.stream(some).filter(session.identifiers::get).toArray();
    }

    public boolean isEmpty() {
        return sessions.values().stream().allMatch(session -> session.identifiers.isEmpty());
    }

    /** Bytes that {@link #encode} takes. */
    int encodedSize() {
        return Integer.BYTES
                + sessions.values().stream()
                        .mapToInt(
                                session -> Long.BYTES + Integer.BYTES + Short.BYTES * session.identifiers.cardinality())
                        .sum();
    }

    void encode(ByteBuffer out) {
        out.putInt(sessions.size());
        for (Session session : sessions.values()) {
            out.putLong(session.generation).putInt(session.identifiers.cardinality());
            session.identifiers.stream().forEach(identifier -> out.putShort((short) identifier));
        }
    }

    static HeldIdentifiers decode(ByteBuffer in) {
        HeldIdentifiers held = new HeldIdentifiers();
        for (int left = in.getInt(); left > 0; left--) {
            long generation = in.getLong();
            int[] some = new int[in.getInt()];
            Arrays.setAll(some, i -> in.getShort() & 0xFFFF);
            held.add(generation, some);
        }
        return held;
    }
}
