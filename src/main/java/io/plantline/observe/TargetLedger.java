package io.plantline.observe;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The books of one target, in source messages. Written on the context of the target's outbox; anybody may read the
 * {@linkplain #snapshot latest snapshot}, which always balances.
 */
public final class TargetLedger {
    private final String target;
    private long accepted;
    private long delivered;
    private long filtered;
    private long deadLettered;
    private long retries;
    private final Map<Integer, String> heldLanes = new TreeMap<>();
    private volatile Snapshot snapshot;

    public TargetLedger(String target) {
        this.target = target;
        this.snapshot = new Snapshot(target, 0, 0, 0, 0, 0, 0, null);
    }

    /**
     * One moment of a ledger: {@code accepted = delivered + filtered + deadLettered + waiting}.
     *
     * @param heldBecause the failure that keeps the target from delivering, if somebody must act
     */
    public record Snapshot(
            String target,
            long accepted,
            long delivered,
            long filtered,
            long deadLettered,
            long waiting,
            long retries,
            @Nullable String heldBecause) {

        /** Whether every accepted message is accounted for. */
        public boolean balances() {
            return waiting >= 0 && accepted == delivered + filtered + deadLettered + waiting;
        }

        @Override
        public String toString() {
            return target + ": accepted " + accepted + " = delivered " + delivered + " + filtered " + filtered
                    + " + dead-lettered " + deadLettered + " + waiting " + waiting
                    + (balances() ? "" : " DOES NOT BALANCE")
                    + (heldBecause == null ? "" : " (held: " + heldBecause + ")");
        }
    }

    public void accepted(long messages) {
        accepted += messages;
        publish();
    }

    /** A plan of a lane is done: what became of its messages. */
    public void done(int lane, long delivered, long filtered, long deadLettered) {
        this.delivered += delivered;
        this.filtered += filtered;
        this.deadLettered += deadLettered;
        heldLanes.remove(lane);
        publish();
    }

    /** An attempt failed and will be repeated. */
    public void retried() {
        retries++;
        publish();
    }

    /** A lane waits for somebody to act. */
    public void held(int lane, String because) {
        heldLanes.put(lane, because);
        publish();
    }

    private void publish() {
        String heldBecause = heldLanes.isEmpty() ? null : String.join(", ", new TreeSet<>(heldLanes.values()));
        long waiting = accepted - delivered - filtered - deadLettered;
        snapshot = new Snapshot(target, accepted, delivered, filtered, deadLettered, waiting, retries, heldBecause);
    }

    public Snapshot snapshot() {
        return snapshot;
    }
}
