package io.plantline.config;

import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.TargetFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A target that subscriptions name.
 *
 * @param config what its factory made of its section
 * @param format how its payloads are encoded, if its type takes a format
 * @param processors names, in order
 * @param deadLetterTarget where messages go that this target can never take
 * @param maxRecords messages in a plan, at most
 * @param maxBytes bytes in a plan, at most (a single larger message is a plan of its own)
 * @param maxAge how long a message waits for others to leave with; zero: not at all
 * @param lanes plans in flight at once
 * @param instances publisher verticles
 * @param limits of the outbox on disk
 * @param namesByPlan whether what a plan makes is named by it, so that it is pinned before the first attempt
 * @param material that it uses
 * @param fingerprint of what makes it this target and no other
 * @param source its section, and those of its processors, as a JSON text that {@link ConfigurationParser#definition}
 *     reads: kept beside its log, so that what waits there is delivered by it when the document has another one
 */
public record TargetDefinition(
        String name,
        TargetFactory<?> factory,
        Object config,
        Optional<Format> format,
        List<String> processors,
        Optional<String> deadLetterTarget,
        int maxRecords,
        long maxBytes,
        Duration maxAge,
        int lanes,
        int instances,
        Duration retryMin,
        Duration retryMax,
        Limits limits,
        boolean namesByPlan,
        Material material,
        String fingerprint,
        String source) {

    /** What an outbox does when it has no room. */
    public enum OnFull {
        /** It takes nothing, so that nothing is acknowledged and the broker keeps it. */
        BLOCK,
        /** The oldest messages that no publisher has are dropped, and counted. */
        DROP_OLDEST,
        /** New messages are dropped, and counted. */
        DROP_NEWEST
    }

    /**
     * Bounds of what waits and of what leaves.
     *
     * @param maxBytes of its log
     * @param maxAge messages that are older and not planned yet expire; zero: none does
     * @param deadLetterBytes of the log of its dead letters
     * @param bytesPerSecond that leave, on the average; 0: as many as can
     */
    public record Limits(long maxBytes, OnFull onFull, Duration maxAge, long deadLetterBytes, long bytesPerSecond) {}

    /** A format and what its factory made of its options. */
    public record Format(PayloadFormatFactory<?> factory, Object config) {}

    public TargetDefinition {
        processors = List.copyOf(processors);
    }
}
