package io.plantline.observe;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** How long something took, as a histogram. May be written and read from anywhere. */
public final class Latency {
    /** Upper bounds of the buckets, in seconds; one more takes the rest. */
    static final double[] BOUNDS = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

    private final AtomicLongArray counts = new AtomicLongArray(BOUNDS.length + 1);
    private final LongAdder nanos = new LongAdder();

    /** One moment; counts are per bucket, not added up. */
    public record Snapshot(long[] counts, double seconds) {}

    /** It took so long. */
    public void record(long elapsedNanos) {
        double seconds = elapsedNanos / 1e9;
        int bucket = 0;
        while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
            bucket++;
        }
        counts.incrementAndGet(bucket);
        nanos.add(elapsedNanos);
    }

    public Snapshot snapshot() {
        long[] now = new long[counts.length()];
        for (int i = 0; i < now.length; i++) {
            now[i] = counts.get(i);
        }
        return new Snapshot(now, nanos.sum() / 1e9);
    }
}
