package io.plantline.pipeline;

import io.plantline.model.Fingerprint;
import io.plantline.model.Fingerprints;
import java.util.BitSet;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** QoS 2 messages of one session that are stored and that the broker has not released (MQTT 5.0 section 4.3.3). */
public final class Unreleased {
    private final BitSet packetIds = new BitSet();
    private final Fingerprints contents = new Fingerprints();

    /** Adds some; their session is not asked for. */
    public void add(Identifiers some) {
        int[] added = some.packetIds();
        for (int i = 0; i < added.length; i++) {
            add(added[i], some.contents().isEmpty() ? null : some.contents().get(i));
        }
    }

    /** Adds one; an identifier that is there belongs to this message from now on. */
    public void add(int packetId, @Nullable Fingerprint content) {
        packetIds.set(packetId);
        if (content == null) {
            contents.remove(packetId);
        } else {
            contents.put(packetId, content);
        }
    }

    public void addAll(Unreleased others) {
        packetIds.or(others.packetIds);
        others.contents.forEach(contents::put);
    }

    public boolean contains(int packetId) {
        return packetIds.get(packetId);
    }

    /** The identifier of the message with this content; 0 if there is none, or the content is not known. */
    public int packetIdOf(@Nullable Fingerprint content) {
        return contents.packetIdOf(content);
    }

    public void remove(int packetId) {
        packetIds.clear(packetId);
        contents.remove(packetId);
    }

    public void clear() {
        packetIds.clear();
        contents.clear();
    }

    public boolean isEmpty() {
        return packetIds.isEmpty();
    }

    public int count() {
        return packetIds.cardinality();
    }

    /** Packet identifiers, the smallest first. */
    public IntStream packetIds() {
        return packetIds.stream();
    }

    /** Of how many the content is known. */
    public int contentCount() {
        return contents.size();
    }

    /** The known contents by packet identifier. */
    public void forEachContent(BiConsumer<Integer, Fingerprint> action) {
        contents.forEach(action);
    }

    /** A copy that goes its own way. */
    public Unreleased copy() {
        Unreleased copy = new Unreleased();
        copy.addAll(this);
        return copy;
    }
}
