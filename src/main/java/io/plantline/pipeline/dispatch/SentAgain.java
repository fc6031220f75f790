package io.plantline.pipeline.dispatch;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** Packet identifiers that messages had before the broker sent them again under others. */
final class SentAgain {
    private final Map<Integer, Integer> earlier = new HashMap<>();

    /** What was {@code before} is {@code packetId} now. */
    void add(int packetId, int before) {
        if (packetId != before) {
            earlier.put(packetId, before);
        }
    }

    /** The identifier belongs to a message that has had no other. */
    void isNew(int packetId) {
        if (!earlier.isEmpty()) {
            earlier.remove(packetId);
        }
    }

    boolean contains(int packetId) {
        return earlier.containsKey(packetId);
    }

    /** These identifiers and all that their messages had before, which are forgotten here. */
    int[] released(int[] packetIds) {
        return earlier.isEmpty()
                ? packetIds
                : Arrays.stream(packetIds)
                        .flatMap(packetId -> IntStream.iterate(packetId, id -> id != 0, this::before))
                        .toArray();
    }

    private int before(int packetId) {
        Integer before = earlier.remove(packetId);
        return before == null ? 0 : before;
    }

    void clear() {
        earlier.clear();
    }
}
