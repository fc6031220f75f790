package io.plantline.pipeline.outbox;

import io.plantline.model.Failure;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What keeps a lane from delivering. The ledger counts each attempt; the operator hears of it when it begins, now and then, and when it
 * is over.
 */
final class LaneTrouble {
    private static final Logger LOG = LoggerFactory.getLogger(LaneTrouble.class);

    private final String target;
    private final Books books;
    private final int lane;
    private @Nullable String trouble;

    LaneTrouble(String target, Books books, int lane) {
        this.target = target;
        this.books = books;
        this.lane = lane;
    }

    /** Its plan could not be delivered or processed. */
    void failing(Failure failure, int attempts) {
        books.retried();
        boolean operator = failure.kind() != Failure.Kind.RETRY;
        if (operator) {
            books.held(lane, failure.code());
        }
        if (isNews(failure.kind() + failure.code())) {
            if (operator) {
                LOG.error("TARGET-HELD: {} waits for somebody to act: {}", target, failure);
            } else {
                LOG.warn("TARGET-RETRY: {} fails, trying again: {}", target, failure);
            }
        } else if (attempts % 20 == 0) {
            LOG.warn("TARGET-RETRY: {} still fails after {} attempts: {}", target, attempts, failure);
        }
    }

    /** What waits could not be read. */
    void unreadable(Throwable cause) {
        if (isNews("OUTBOX-READ")) {
            LOG.error("OUTBOX-READ: the outbox of {} cannot be read, trying again: {}", target, cause.toString());
        }
    }

    private boolean isNews(String what) {
        boolean news = !what.equals(trouble);
        trouble = what;
        return news;
    }

    /** Its plan is through. */
    void over() {
        if (trouble != null) {
            LOG.info("TARGET-RECOVERED: {} delivers again", target);
        }
        trouble = null;
    }

    /** Somebody else has what could not leave. */
    void forget() {
        trouble = null;
    }
}
