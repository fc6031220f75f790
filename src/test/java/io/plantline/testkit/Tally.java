package io.plantline.testkit;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Counts what arrived against what was sent: missing, duplicated, reordered, altered. Thread-safe. */
public final class Tally {
    private final Map<Integer, BitSet> seen = new HashMap<>();
    private final Map<Integer, Integer> last = new HashMap<>();
    private long total;
    private long duplicates;
    private long inversions;
    private long altered;

    public synchronized void add(byte[] payload) {
        Stamp stamp;
        try {
            stamp = Stamp.of(payload);
        } catch (RuntimeException e) {
            altered++;
            return;
        }
        add(stamp.topic(), stamp.sequence());
    }

    public synchronized void add(int topic, int sequence) {
        total++;
        BitSet known = seen.computeIfAbsent(topic, t -> new BitSet());
        if (known.get(sequence)) {
            duplicates++;
            return;
        }
        known.set(sequence);
        if (last.getOrDefault(topic, -1) > sequence) {
            inversions++;
        }
        last.merge(topic, sequence, Math::max);
    }

    public synchronized long total() {
        return total;
    }

    public synchronized long distinct() {
        return seen.values().stream().mapToLong(BitSet::cardinality).sum();
    }

    public synchronized long duplicates() {
        return duplicates;
    }

    /** First occurrences that came after a later one of their topic. */
    public synchronized long inversions() {
        return inversions;
    }

    public synchronized long altered() {
        return altered;
    }

    /** What is missing of {@code perTopic} messages on each of {@code topics} topics, as ranges. */
    public synchronized List<String> missing(int topics, int perTopic) {
        List<String> ranges = new ArrayList<>();
        for (int topic = 0; topic < topics; topic++) {
            BitSet known = seen.getOrDefault(topic, new BitSet());
            for (int from = known.nextClearBit(0); from < perTopic; ) {
                int next = known.nextSetBit(from);
                int to = next < 0 ? perTopic : Math.min(next, perTopic);
                ranges.add("topic " + topic + ": " + from + ".." + (to - 1));
                from = known.nextClearBit(to);
            }
        }
        return ranges;
    }

    @Override
    public synchronized String toString() {
        return total + " received, " + distinct() + " distinct, " + duplicates + " duplicates, " + inversions
                + " reordered, " + altered + " altered";
    }
}
