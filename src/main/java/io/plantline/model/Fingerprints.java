package io.plantline.model;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** What is known of the contents of messages by their packet identifiers, and the other way round. */
public final class Fingerprints {
    private final Map<Integer, Fingerprint> byPacketId = new HashMap<>();
    private final Map<Fingerprint, Integer> packetIds = new HashMap<>();

    /** A message with this identifier has this content; what either belonged to before is forgotten. */
    public void put(int packetId, Fingerprint fingerprint) {
        remove(packetId);
        Integer before = packetIds.put(fingerprint, packetId);
        if (before != null) {
            byPacketId.remove(before);
        }
        byPacketId.put(packetId, fingerprint);
    }

    /** Forgets what is known of a message. */
    public void remove(int packetId) {
        Fingerprint fingerprint = byPacketId.isEmpty() ? null : byPacketId.remove(packetId);
        if (fingerprint != null) {
            packetIds.remove(fingerprint);
        }
    }

    /** The identifier of the message with this content; 0 if there is none, or the content is not known. */
    public int packetIdOf(@Nullable Fingerprint fingerprint) {
        return fingerprint == null ? 0 : packetIds.getOrDefault(fingerprint, 0);
    }

    public void clear() {
        byPacketId.clear();
        packetIds.clear();
    }

    public int size() {
        return byPacketId.size();
    }

    public void forEach(BiConsumer<Integer, Fingerprint> action) {
        byPacketId.forEach(action);
    }
}
