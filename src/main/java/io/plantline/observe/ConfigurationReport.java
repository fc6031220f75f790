package io.plantline.observe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which configuration runs, and what became of the last one that was offered.
 *
 * @param generation how many have run since the process started
 * @param hash of the one that runs
 * @param since when it was applied (ISO 8601)
 * @param source where documents come from
 * @param last what became of the last document; null if there was only the first
 */
public record ConfigurationReport(
        long generation,
        String hash,
        String since,
        String source,
        @Nullable Attempt last) {

    /** What became of a document. */
    public enum Outcome {
        APPLIED,
        /** Nothing in it is different. */
        UNCHANGED,
        /** It is not valid, or asks for what cannot change while it runs: everything is as before. */
        REFUSED,
        /** A step failed and those before it were taken back: everything is as before. */
        ROLLED_BACK
    }

    /**
     * One document.
     *
     * @param at when it was offered (ISO 8601)
     * @param changes what it changed
     * @param problems why it was not applied, and warnings
     * @param millis from when it was read to when it was applied, or not
     */
    public record Attempt(
            String at, String hash, Outcome outcome, List<String> changes, List<String> problems, long millis) {
        public Attempt {
            changes = List.copyOf(changes);
            problems = List.copyOf(problems);
        }
    }
}
