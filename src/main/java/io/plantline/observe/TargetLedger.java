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
    private static final Totals NOTHING = new Totals(0, 0, 0, 0, 0, 0, 0, 0);

    private volatile String target;
    private Totals totals = NOTHING;
    private long retries;
    private final Map<Integer, String> heldLanes = new TreeMap<>();
    private boolean full;
    /** Why an outbox is held whose writer has ended. */
    static final String ENDED = "disk-writer-ended";

    private volatile boolean diskFailing;
    private volatile boolean diskEnded;
    private volatile Snapshot snapshot;
    private final Latency publishing = new Latency();

    public TargetLedger(String target) {
        this.target = target;
        this.snapshot = new Snapshot(target, NOTHING, 0, null);
    }

    /** Its target is called otherwise from now on. */
    public void rename(String other) {
        target = other;
    }

    /**
     * What became of messages since the outbox was made.
     *
     * @param accepted taken over from the broker
     * @param delivered to the target
     * @param filtered by a processor
     * @param deadLettered refused, and kept among the dead letters
     * @param dropped because the outbox was full, as configured
     * @param expired because they were too old, as configured
     * @param purged by an operator's command, or moved to the outbox of another definition and accepted there
     * @param quarantined damaged on disk
     */
    public record Totals(
            long accepted,
            long delivered,
            long filtered,
            long deadLettered,
            long dropped,
            long expired,
            long purged,
            long quarantined) {

        /** Messages that are still to be delivered. */
        public long waiting() {
            return accepted - delivered - filtered - deadLettered - lost();
        }

        long lost() {
            return dropped + expired + purged + quarantined;
        }

        private Totals plus(Totals more) {
            return new Totals(
                    accepted + more.accepted,
                    delivered + more.delivered,
                    filtered + more.filtered,
                    deadLettered + more.deadLettered,
                    dropped + more.dropped,
                    expired + more.expired,
                    purged + more.purged,
                    quarantined + more.quarantined);
        }
    }

    /**
     * One moment of a ledger: accepted = delivered + filtered + dead-lettered + dropped + expired + purged + quarantined +
     * waiting.
     *
     * @param heldBecause what keeps the target from delivering or the outbox from accepting, if somebody must act
     */
    public record Snapshot(
            String target,
            Totals totals,
            long retries,
            @Nullable String heldBecause) {

        public long accepted() {
            return totals.accepted();
        }

        public long delivered() {
            return totals.delivered();
        }

        public long filtered() {
            return totals.filtered();
        }

        public long deadLettered() {
            return totals.deadLettered();
        }

        public long waiting() {
            return totals.waiting();
        }

        /** Whether every accepted message is accounted for, none of them twice. */
        public boolean balances() {
            return waiting() >= 0;
        }

        @Override
        public String toString() {
            return target + ": accepted " + accepted() + " = delivered " + delivered() + " + filtered " + filtered()
                    + " + dead-lettered " + deadLettered() + losses() + " + waiting " + waiting()
                    + (balances() ? "" : " DOES NOT BALANCE")
                    + (heldBecause == null ? "" : " (held: " + heldBecause + ")");
        }

        private String losses() {
            return totals.lost() == 0
                    ? ""
                    : " + dropped " + totals.dropped() + " + expired " + totals.expired() + " + purged "
                            + totals.purged() + " + quarantined " + totals.quarantined();
        }
    }

    /** Goes on with the books of an earlier start. */
    public void resume(Totals before) {
        totals = before;
        publish();
    }

    public void accepted(long messages) {
        add(new Totals(messages, 0, 0, 0, 0, 0, 0, 0));
    }

    /** A plan of a lane is done: what became of its messages. */
    public void done(int lane, long delivered, long filtered, long deadLettered) {
        heldLanes.remove(lane);
        add(new Totals(0, delivered, filtered, deadLettered, 0, 0, 0, 0));
    }

    /** Messages were not stored, because the outbox is full and the configuration says so. */
    public void refused(long messages) {
        add(new Totals(messages, 0, 0, 0, messages, 0, 0, 0));
    }

    /** Accepted messages made room for new ones, as configured. */
    public void dropped(long messages) {
        add(new Totals(0, 0, 0, 0, messages, 0, 0, 0));
    }

    /** Accepted messages were taken out: by command, or because another outbox has them now. */
    public void purged(long messages) {
        add(new Totals(0, 0, 0, 0, 0, 0, messages, 0));
    }

    /** Accepted messages have become too old, as configured. */
    public void expired(long messages) {
        add(new Totals(0, 0, 0, 0, 0, messages, 0, 0));
    }

    /** Accepted messages are lost to damage on disk. */
    public void quarantined(long messages) {
        add(new Totals(0, 0, 0, 0, 0, 0, 0, messages));
    }

    private void add(Totals more) {
        totals = totals.plus(more);
        publish();
    }

    /** An attempt failed and will be repeated. */
    public void retried() {
        retries++;
        publish();
    }

    /** How long attempts to deliver take. */
    public Latency publishing() {
        return publishing;
    }

    /** A lane waits for somebody to act. */
    public void held(int lane, String because) {
        heldLanes.put(lane, because);
        publish();
    }

    /** Whether a lane waits for somebody to act; on the context of the outbox. */
    public boolean isHeld() {
        return !heldLanes.isEmpty();
    }

    /** Whether the outbox takes nothing more. */
    public void full(boolean is) {
        full = is;
        publish();
    }

    /** Whether the disk refuses to write; from any thread. */
    public void diskFailing(boolean is) {
        diskFailing = is;
    }

    /** Nothing more is written to the disk until the program is started again; from any thread. */
    public void diskEnded() {
        diskEnded = true;
    }

    private void publish() {
        TreeSet<String> reasons = new TreeSet<>(heldLanes.values());
        if (full) {
            reasons.add("outbox full");
        }
        String heldBecause = reasons.isEmpty() ? null : String.join(", ", reasons);
        snapshot = new Snapshot(target, totals, retries, heldBecause);
    }

    public Snapshot snapshot() {
        Snapshot now = snapshot;
        String because = now.heldBecause();
        String disk = diskEnded ? ENDED : diskFailing ? "disk" : null;
        if (disk != null) {
            because = because == null ? disk : because + ", " + disk;
        }
        return new Snapshot(target, now.totals(), now.retries(), because);
    }
}
