package io.plantline.pipeline.outbox;

import io.plantline.observe.TargetLedger;

/** What one relay writes into the ledger of its target. Where there are two, a message is accepted and delivered once. */
final class Books {
    private final TargetLedger ledger;
    private final Part part;

    /** A relay's part of the way. */
    enum Part {
        /** From the broker to the target. */
        ALL,
        /** From the broker to the log of processed messages. */
        FIRST,
        /** From there to the target. */
        LAST
    }

    Books(TargetLedger ledger, Part part) {
        this.ledger = ledger;
        this.part = part;
    }

    void accepted(long messages) {
        if (part != Part.LAST) {
            ledger.accepted(messages);
        }
    }

    void done(int lane, PlanRun.Result result) {
        ledger.done(place(lane), part == Part.FIRST ? 0 : result.delivered(), result.filtered(), result.deadLettered());
    }

    void refused(long messages) {
        ledger.refused(messages);
    }

    void dropped(long messages) {
        ledger.dropped(messages);
    }

    void purged(long messages) {
        ledger.purged(messages);
    }

    void attempted(long nanos) {
        ledger.publishing().record(nanos);
    }

    void expired(long messages) {
        ledger.expired(messages);
    }

    void quarantined(long messages) {
        ledger.quarantined(messages);
    }

    void retried() {
        ledger.retried();
    }

    void held(int lane, String because) {
        ledger.held(place(lane), because);
    }

    void full(boolean is) {
        ledger.full(is);
    }

    boolean nothingWaits() {
        return ledger.snapshot().waiting() == 0;
    }

    /** Both relays have a lane of each number. */
    private int place(int lane) {
        return part == Part.LAST ? ~lane : lane;
    }
}
