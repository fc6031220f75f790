package io.plantline.model;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Exponential backoff with full jitter: a random time up to a bound that doubles with each attempt, so that forty
 * plants do not come back in the same millisecond.
 */
public final class Backoff {
    private final long minMillis;
    private final long maxMillis;
    private final RandomGenerator random;
    private int attempts;

    public Backoff(Duration min, Duration max, RandomGenerator random) {
        this.minMillis = Math.max(1, min.toMillis());
        this.maxMillis = Math.max(minMillis, max.toMillis());
        this.random = random;
    }

    /** Milliseconds to wait before the next attempt, at least 1. */
    public long nextMillis() {
        long bound = attempts >= 40 ? maxMillis : Math.min(maxMillis, minMillis << attempts);
        attempts++;
        return bound <= 0 ? maxMillis : 1 + random.nextLong(bound);
    }

    /** Attempts since the last success. */
    public int attempts() {
        return attempts;
    }

    /** It worked: the next failure starts from the beginning. */
    public void reset() {
        attempts = 0;
    }
}
