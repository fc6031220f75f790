package io.plantline.pipeline.outbox;

import java.time.Clock;
import java.util.function.LongSupplier;

/**
 * The time by which messages become too old. It does not jump ahead with the wall clock: a box without a clock of its own meets the time
 * long after its start, and what it has received until then is not years old.
 */
final class AgeClock {
    private final Clock wall;
    private final LongSupplier nanos;
    private final long startMillis;
    private final long startNanos;

    AgeClock() {
        this(Clock.systemUTC(), System::nanoTime);
    }

    AgeClock(Clock wall, LongSupplier nanos) {
        this.wall = wall;
        this.nanos = nanos;
        this.startMillis = wall.millis();
        this.startNanos = nanos.getAsLong();
    }

    /** Microseconds since 1970, or fewer. */
    long micros() {
        long steady = startMillis * 1_000 + (nanos.getAsLong() - startNanos) / 1_000;
        return Math.min(steady, wall.millis() * 1_000);
    }
}
