package io.plantline.mqtt;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;

/** Counts how often somebody else took our session lately: two programs with one client identifier wage a war. */
final class Takeovers {
    private static final int MANY = 3;
    private static final Duration LATELY = Duration.ofSeconds(60);

    private final ArrayDeque<Instant> times = new ArrayDeque<>();

    void happened(Instant now) {
        times.add(now);
        while (times.size() > MANY) {
            times.poll();
        }
    }

    boolean isWar(Instant now) {
        Instant first = times.peekFirst();
        return times.size() >= MANY
                && first != null
                && Duration.between(first, now).compareTo(LATELY) <= 0;
    }
}
