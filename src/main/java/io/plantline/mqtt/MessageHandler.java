package io.plantline.mqtt;

import io.vertx.core.Future;
import java.util.List;
import java.util.Set;

/** Takes what a session receives, in order, on the session's context. */
public interface MessageHandler {

    /** Filters that the broker may have in this session, from an earlier start. */
    default Set<String> filters() {
        return Set.of();
    }

    /**
     * The broker may have these filters from now on, and no others.
     *
     * @return completes when that is durable: what is to be subscribed is then
     */
    default Future<Void> filters(Set<String> filters) {
        return Future.succeededFuture();
    }

    /** The subscriptions that the broker has, now that something about them has changed. */
    default void granted(List<SessionOptions.Subscription> subscriptions) {}

    /**
     * The broker has begun a new session: packet identifiers of the one before mean nothing.
     *
     * @return completes when messages of the new one can be taken; nothing is subscribed before
     */
    default Future<Void> newSession() {
        return Future.succeededFuture();
    }

    /** Whether a QoS 2 message with this identifier is kept from an earlier start. */
    default boolean remembers(int packetId) {
        return false;
    }

    /** The broker has sent a QoS 2 message again under another identifier: the end of that one ends the one before. */
    default void sentAgain(int packetId, int before) {}

    /**
     * The broker has released identifiers of QoS 2 messages (PUBREL).
     *
     * @return completes when they are forgotten durably: PUBCOMP leaves then
     */
    default Future<Void> released(int[] packetIds) {
        return Future.succeededFuture();
    }

    /** One message; {@code message} is valid during the call only. Never called twice in one start for one QoS 2 delivery. */
    void message(ReceivedMessage message);

    /**
     * The socket has no more for now.
     *
     * @return completes when every message since the last call is safe: their acknowledgements leave then. A failure
     *     means that they are not: the connection is given up, and the broker sends them again.
     */
    Future<Void> endOfRead();
}
