package io.plantline.pipeline.outbox.log;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How often a log could not be read at a place: what fails again and again there is damage, what fails once is an accident. */
final class ReadFaults {
    /** At one a second, longer than a disk needs that comes back. */
    static final int LASTING = 20;

    private final Map<Place, Integer> failures = new ConcurrentHashMap<>();

    private record Place(long segment, long position) {}

    /** It failed once more; whether that is to be taken as damage. */
    boolean areLasting(long segment, long position) {
        return failures.merge(new Place(segment, position), 1, Integer::sum) > LASTING;
    }

    /** It can be read there. */
    void over(long segment, long position) {
        if (!failures.isEmpty()) {
            failures.remove(new Place(segment, position));
        }
    }
}
