package io.plantline.pipeline.outbox;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a lane with a log may have in memory of what waits: an eighth of the heap, divided among all lanes of the process,
 * because when the plant's uplink is down all of them wait at once, and as much again may be on its way.
 */
final class HeapShare {
    private static final long MOST = 16 << 20;
    private static final long LEAST = 256 << 10;

    private static final long HEAP = Runtime.getRuntime().maxMemory();
    private static final AtomicInteger LANES = new AtomicInteger();

    private HeapShare() {}

    /** Some more lanes, or fewer. */
    static void lanes(int more) {
        LANES.addAndGet(more);
    }

    /** Bytes for each lane. */
    static long bytes() {
        return bytes(HEAP, LANES.get());
    }

    static long bytes(long heap, int lanes) {
        return Math.max(LEAST, Math.min(MOST, heap / 8 / Math.max(1, lanes)));
    }
}
