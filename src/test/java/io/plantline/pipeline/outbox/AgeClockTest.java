package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The wall clock jumps. */
class AgeClockTest {
    private final AtomicLong nanos = new AtomicLong(17);
    private Instant wall = Instant.parse("2000-01-01T00:00:00Z");
    private final AgeClock clock = new AgeClock(
            new Clock() {
                @Override
                public ZoneId getZone() {
                    return ZoneOffset.UTC;
                }

                @Override
                public Clock withZone(ZoneId zone) {
                    return this;
                }

                @Override
                public Instant instant() {
                    return wall;
                }
            },
            nanos::get);

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
        wall = wall.plus(time);
    }

    private Instant now() {
        return Instant.ofEpochMilli(clock.micros() / 1_000);
    }

    @Test
    void timeThatPassesPasses() {
        pass(Duration.ofHours(3));
        assertThat(now()).isEqualTo("2000-01-01T03:00:00Z");
    }

    @Test
    void whatWasReceivedBeforeTheClockWasSetIsNotYearsOld() {
        pass(Duration.ofMinutes(1));
        wall = Instant.parse("2026-11-24T07:00:00Z");
        pass(Duration.ofMinutes(1));
        assertThat(now()).isEqualTo("2000-01-01T00:02:00Z");
    }

    @Test
    void whatIsReceivedAfterTheClockWasSetBackIsNotOldAtOnce() {
        pass(Duration.ofMinutes(1));
        wall = wall.minus(Duration.ofHours(1));
        assertThat(now()).isEqualTo(wall);
    }
}
