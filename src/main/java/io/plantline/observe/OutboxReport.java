package io.plantline.observe;

import org.jspecify.annotations.Nullable;

/**
 * An outbox at one moment.
 *
 * @param target its name; of a former definition, its name and fingerprint
 * @param fingerprint of the target's definition
 * @param totals its books
 * @param heldBecause what somebody must act on, if there is something
 * @param lanes it is split in
 * @param bytes on disk
 * @param oldestMicros when the oldest message that waits was received, microseconds since 1970; 0: nothing waits, or that is
 *     not known
 * @param deadLetters messages in its dead-letter log
 */
public record OutboxReport(
        String target,
        String fingerprint,
        TargetLedger.Totals totals,
        @Nullable String heldBecause,
        int lanes,
        long bytes,
        long oldestMicros,
        long deadLetters) {

    /** Whether nothing but another start makes it take messages again. */
    public boolean needsRestart() {
        return heldBecause != null && heldBecause.contains(TargetLedger.ENDED);
    }

    /** The books as a line. */
    public String ledger() {
        return new TargetLedger.Snapshot(target, totals, 0, heldBecause).toString();
    }
}
