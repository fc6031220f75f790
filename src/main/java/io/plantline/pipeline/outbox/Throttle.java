package io.plantline.pipeline.outbox;

import java.util.concurrent.TimeUnit;

/**
 * Keeps what leaves below a number of bytes a second, on the average: after each plan the next waits for as long as that one
 * should have taken. A pause is no credit.
 */
final class Throttle {
    private final long bytesPerSecond;
    private long freeAtNanos;

    /**
     * A throttle.
     *
     * @param bytesPerSecond 0: none
     */
    Throttle(long bytesPerSecond, long nowNanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.freeAtNanos = nowNanos;
    }

    /** How many milliseconds a plan waits before it may leave; from then on it counts. */
    long take(long bytes, long nowNanos) {
        if (bytesPerSecond == 0) {
            return 0;
        }
        long waitNanos = Math.max(0, freeAtNanos - nowNanos);
        long lasts = (long) ((double) bytes * TimeUnit.SECONDS.toNanos(1) / bytesPerSecond);
        freeAtNanos = nowNanos + waitNanos + lasts;
        return TimeUnit.NANOSECONDS.toMillis(waitNanos + 999_999);
    }
}
