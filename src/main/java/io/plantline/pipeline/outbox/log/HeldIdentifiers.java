package io.plantline.pipeline.outbox.log;

import io.plantline.model.Fingerprint;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Packet identifiers of QoS 2 messages that are stored and not released, of the present session of each connection: an
 * identifier of a session that the broker has forgotten means nothing.
 */
public final class HeldIdentifiers {
    /** Marks a number of sessions whose contents follow their identifiers. */
    private static final int WITH_CONTENTS = 1 << 31;

    private final Map<Integer, Session> sessions = new TreeMap<>();

    private record Session(long generation, Unreleased messages) {}

    /** A copy that goes its own way. */
    public HeldIdentifiers copy() {
        HeldIdentifiers copy = new HeldIdentifiers();
        sessions.forEach((connection, session) ->
                copy.sessions.put(connection, new Session(session.generation, session.messages.copy())));
        return copy;
    }

    /** Remembers some; those of an older session are not, and those of a newer one end the one before. */
    public void add(Identifiers some) {
        int connection = Identifiers.connection(some.generation());
        Session session = sessions.get(connection);
        if (session == null || session.generation < some.generation()) {
            session = new Session(some.generation(), new Unreleased());
            sessions.put(connection, session);
        }
        if (session.generation == some.generation()) {
            session.messages.add(some);
        }
    }

    /** Forgets some. */
    public void remove(long generation, int[] some) {
        Session session = sessions.get(Identifiers.connection(generation));
        if (session != null && session.generation == generation) {
            for (int identifier : some) {
                session.messages.remove(identifier);
            }
        }
    }

    /** Those of one session; a copy. */
    public Unreleased of(long generation) {
        Session session = sessions.get(Identifiers.connection(generation));
        return session == null || session.generation != generation ? new Unreleased() : session.messages.copy();
    }

    /** Those of these that are held. */
    public int[] heldOf(long generation, int[] some) {
        Session session = sessions.get(Identifiers.connection(generation));
        return session == null || session.generation != generation
                ? new int[0]
                : Arrays.stream(some).filter(session.messages::contains).toArray();
    }

    public boolean isEmpty() {
        return sessions.values().stream().allMatch(session -> session.messages.isEmpty());
    }

    private boolean hasContents() {
        return sessions.values().stream().anyMatch(session -> session.messages.contentCount() > 0);
    }

    /** Bytes that {@link #encode} takes. */
    int encodedSize() {
        boolean contents = hasContents();
        return Integer.BYTES
                + sessions.values().stream()
                        .mapToInt(session -> Long.BYTES
                                + Integer.BYTES
                                + Short.BYTES * session.messages.count()
                                + (contents
                                        ? Integer.BYTES
                                                + (Short.BYTES + Fingerprint.BYTES) * session.messages.contentCount()
                                        : 0))
                        .sum();
    }

    void encode(ByteBuffer out) {
        boolean contents = hasContents();
        out.putInt(sessions.size() | (contents ? WITH_CONTENTS : 0));
        for (Session session : sessions.values()) {
            out.putLong(session.generation).putInt(session.messages.count());
            session.messages.packetIds().forEach(packetId -> out.putShort((short) packetId));
            if (contents) {
                out.putInt(session.messages.contentCount());
                session.messages.forEachContent((packetId, content) -> out.putShort(packetId.shortValue())
                        .putLong(content.high())
                        .putLong(content.low()));
            }
        }
    }

    static HeldIdentifiers decode(ByteBuffer in) {
        HeldIdentifiers held = new HeldIdentifiers();
        int head = in.getInt();
        for (int left = head & ~WITH_CONTENTS; left > 0; left--) {
            Session session = new Session(in.getLong(), new Unreleased());
            for (int packetIds = in.getInt(); packetIds > 0; packetIds--) {
                session.messages.add(in.getShort() & 0xFFFF, null);
            }
            for (int contents = head < 0 ? in.getInt() : 0; contents > 0; contents--) {
                session.messages.add(in.getShort() & 0xFFFF, new Fingerprint(in.getLong(), in.getLong()));
            }
            held.sessions.put(Identifiers.connection(session.generation), session);
        }
        return held;
    }
}
