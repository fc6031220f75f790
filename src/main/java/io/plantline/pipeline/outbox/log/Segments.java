package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The segments there are, oldest first. The writer changes them, readers look. */
final class Segments {
    private final Map<Long, Long> ends = new ConcurrentHashMap<>();
    private volatile List<Segment> list;

    Segments(List<Segment> found) {
        this.list = List.copyOf(found);
    }

    List<Segment> list() {
        return list;
    }

    boolean contains(long number) {
        return list.stream().anyMatch(segment -> segment.number() == number);
    }

    void sealed(long number, long end) {
        ends.put(number, end);
    }

    void add(Segment segment) {
        List<Segment> next = new ArrayList<>(list);
        next.add(segment);
        list = List.copyOf(next);
    }

    /** Takes out one that never held anything. */
    void remove(long number) {
        list = list.stream().filter(segment -> segment.number() != number).toList();
    }

    /** Takes the oldest out, if a younger one begins with what is still needed. */
    @Nullable
    Segment removeBelow(long sequence) {
        List<Segment> now = list;
        if (now.size() < 2 || now.get(1).base() > sequence) {
            return null;
        }
        list = List.copyOf(now.subList(1, now.size()));
        ends.remove(now.get(0).number());
        return now.get(0);
    }

    /**
     * Takes out those between others of which nothing is needed. The two newest stay: should the newest be damaged, the log is
     * recovered from the one before.
     */
    List<Segment> removeBetween(Unneeded unneeded) {
        List<Segment> now = list;
        List<Segment> removed = new ArrayList<>();
        for (int i = 0; i < now.size() - 2; i++) {
            if (unneeded.between(now.get(i).base(), now.get(i + 1).base())) {
                removed.add(now.get(i));
            }
        }
        List<Segment> left = new ArrayList<>(now);
        left.removeAll(removed);
        list = List.copyOf(left);
        removed.forEach(segment -> ends.remove(segment.number()));
        return removed;
    }

    /** Says whether no message between two sequences, the second excluded, is needed. */
    interface Unneeded {
        boolean between(long from, long to);
    }

    /** Where a segment ends, or {@link Long#MAX_VALUE} if that is not known. */
    long end(Disk disk, Segment segment) throws IOException {
        Long known = ends.get(segment.number());
        if (known != null) {
            return known;
        }
        List<Segment> now = list;
        int next = now.indexOf(segment) + 1;
        if (next == 0 || next == now.size()) {
            return Long.MAX_VALUE;
        }
        long end = Recovery.end(disk, segment, now.get(next));
        if (end != Long.MAX_VALUE) {
            ends.put(segment.number(), end);
        }
        return end;
    }

    /** Bytes in all but the one that is {@code written}; {@code otherwise} for one of which that is not known. */
    long bytes(long written, long otherwise) {
        return list.stream()
                .filter(segment -> segment.number() != written)
                .mapToLong(segment -> ends.getOrDefault(segment.number(), otherwise))
                .sum();
    }

    /** The segment that holds a sequence, or begins behind it. */
    @Nullable
    Segment holding(long sequence) {
        Segment found = null;
        for (Segment segment : list) {
            if (found == null || segment.base() <= sequence) {
                found = segment;
            }
        }
        return found;
    }

    /** The one after {@code number}, which may be gone itself. */
    @Nullable
    Segment after(long number) {
        for (Segment segment : list) {
            if (segment.number() > number) {
                return segment;
            }
        }
        return null;
    }
}
