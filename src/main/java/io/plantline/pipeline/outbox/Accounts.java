package io.plantline.pipeline.outbox;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accounts for messages of a relay that leave it otherwise than by a delivery: in the journal, so that a restart knows, in the
 * ledger, and in the log of the program where somebody should hear of it.
 */
final class Accounts {
    private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);

    private final Relay relay;
    private final Journal journal;
    private final Books books;
    private final SizeLimit limit;

    Accounts(Relay relay, Journal journal, Books books, SizeLimit limit) {
        this.relay = relay;
        this.journal = journal;
        this.books = books;
        this.limit = limit;
    }

    /** They came too late: there was no room. */
    void refused(long messages) {
        journal.refused(messages);
        books.refused(messages);
    }

    /**
     * They were the oldest when there was no room; none were, if all that a lane has there stays.
     *
     * @param keptEnd sequence behind the last message that stays before them; 0 if none does
     */
    void dropped(int lane, long keptEnd, long messages, Journal.Cut at) {
        books.dropped(messages);
        limit.dropped();
        journal.dropped(lane, keptEnd, messages, at, limit::dropWritten);
    }

    /**
     * They are with another outbox, or nobody's, by command.
     *
     * @param keptEnd sequence behind the last message that stays before them; 0 if none does
     * @param next sequence of the first message behind them
     * @param ordinal messages of the lane before that
     */
    void moved(int lane, long messages, long keptEnd, long next, long ordinal) {
        journal.moved(lane, keptEnd, messages, next, ordinal, limit::freed);
        books.purged(messages);
    }

    /** The plan that a lane has tried is with another outbox, or nobody's, by command. */
    void givenUp(int lane, long messages, long next) {
        journal.purged(lane, messages, next, limit::freed);
        books.purged(messages);
        abandoned(lane);
    }

    /** A lane has no plan any more, and nothing of it was delivered. */
    void abandoned(int lane) {
        books.done(lane, new PlanRun.Result(0, 0, 0));
    }

    /** They are older than the configuration wants. */
    void expired(int lane, long messages, long next) {
        LOG.warn(
                "OUTBOX-EXPIRED: {} messages for {} are older than max-age and will not be delivered",
                messages,
                relay.target().name());
        journal.expired(lane, messages, next, limit::freed);
        books.expired(messages);
    }

    /** Damage on disk has taken them. */
    void lost(int lane, Entry hole) {
        LOG.error(
                "OUTBOX-QUARANTINED: damage on disk has taken {} messages for {}",
                hole.lost(),
                relay.target().name());
        journal.quarantined(lane, hole.lost(), hole.batch().firstSequence());
        books.quarantined(hole.lost());
    }
}
