package io.plantline.runtime;

import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.vertx.core.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an operator may ask and do: of a running program, or of a data directory that no program uses. */
public interface Operations {

    /** Every outbox there is. */
    Future<List<OutboxReport>> outboxes();

    /**
     * The oldest dead letters of a target from an id on, as many as are asked for and fit into an answer.
     *
     * @return fails if there is no such target
     */
    Future<List<DeadLetter>> deadLetters(String target, long from, int limit);

    /** Forgets a target's dead letters up to one; completes with how many. */
    Future<Long> purgeDeadLetters(String target, long upTo);

    /**
     * Has a target's dead letters up to one accepted anew.
     *
     * @param to name of the target that takes them
     * @return completes with how many
     */
    Future<Long> replayDeadLetters(String target, String to, long upTo);

    /**
     * Hands what waits for a target to another one, whose messages it is then.
     *
     * @param from name of a target; of a former definition with its fingerprint, as {@link #outboxes} names it
     * @param to name of the target that takes them; null: they are forgotten, for ever
     * @param tried also what was tried and waits to be tried again: what of that was delivered already comes again
     * @return completes with how many
     */
    Future<Long> moveWaiting(String from, @Nullable String to, boolean tried);

    /** There is no such thing, or this cannot be done now. */
    final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** With a sentence for the operator. */
        public RefusedException(String message) {
            super(message, null, false, false);
        }
    }
}
