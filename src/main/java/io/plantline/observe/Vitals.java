package io.plantline.observe;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A running program at one moment, for probes and metrics.
 *
 * @param session with the broker; null while there is none
 * @param certificates when they expire, seconds since 1970, by file
 * @param freeBytes on the disk of the data directory; -1 in memory mode
 * @param nodes that share the event bus, this one included; 1 without a cluster
 */
public record Vitals(
        @Nullable Session session, List<Target> targets, Map<String, Long> certificates, long freeBytes, int nodes) {

    /**
     * The session with the broker.
     *
     * @param state such as {@code SUBSCRIBED}
     * @param works whether the broker has agreed to subscriptions and nothing keeps the session from receiving for good
     * @param degraded what is not as configured
     * @param detail of the state, for a person
     * @param counters by name
     */
    public record Session(
            String state, boolean works, List<String> degraded, String detail, Map<String, Long> counters) {
        public Session {
            degraded = List.copyOf(degraded);
        }
    }

    /**
     * A target, present or former.
     *
     * @param limitBytes of its outbox
     * @param retries of its publishers and processors
     * @param warnings of its plug-in, since the definition was opened
     * @param publishing how long attempts took
     */
    public record Target(
            OutboxReport outbox, long limitBytes, long retries, long warnings, Latency.Snapshot publishing) {}

    public Vitals {
        targets = List.copyOf(targets);
        certificates = Map.copyOf(certificates);
    }
}
