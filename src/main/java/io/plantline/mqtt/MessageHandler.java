package io.plantline.mqtt;

import io.vertx.core.Future;
import java.util.List;

/** Takes what a session receives, in order, on the session's context. */
public interface MessageHandler {

    /** The subscriptions that the broker has granted, before or after its first messages. */
    default void granted(List<SessionOptions.Subscription> subscriptions) {}

    /** One message; {@code message} is valid during the call only. Never called twice for one QoS 2 delivery. */
    void message(ReceivedMessage message);

    /**
     * The socket has no more for now.
     *
     * @return completes when every message since the last call is safe: their acknowledgements leave then. A failure
     *     means that they are not: the connection is given up, and the broker sends them again.
     */
    Future<Void> endOfRead();
}
