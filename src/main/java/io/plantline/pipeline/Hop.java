package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import java.time.Duration;
import java.util.function.Function;

/**
 * One kind of request and its reply over the event bus. The caller always gets a value: what a consumer throws, and what
 * the bus loses, become a {@link Failure} in the reply. The event bus has no backpressure of its own, so callers keep
 * their requests in flight few: a relay has one per lane.
 *
 * <p>A request stays on this node unless it is meant for {@linkplain Patience any node}; a clustered bus would give every
 * other one away.
 */
public final class Hop<Q extends PipelineMessage, R extends PipelineMessage> {
    private static final String LOST = "bus";

    private final DeliveryOptions here;
    private final DeliveryOptions anywhere;
    private final Class<R> replyType;
    private final Function<Failure, R> failed;

    /**
     * A hop.
     *
     * @param timeout after which a request counts as lost
     * @param failed makes a reply of a failure
     */
    public Hop(Duration timeout, Class<R> replyType, Function<Failure, R> failed) {
        this.anywhere = new DeliveryOptions().setSendTimeout(timeout.toMillis());
        this.here = new DeliveryOptions(anywhere).setLocalOnly(true);
        this.replyType = replyType;
        this.failed = failed;
    }

    /** Asks on this node; never fails. */
    public Future<R> request(EventBus bus, String address, Q question) {
        return request(bus, address, question, here);
    }

    /** Asks whoever is at the address, on whichever node; never fails. */
    Future<R> requestAnywhere(EventBus bus, String address, Q question) {
        return request(bus, address, question, anywhere);
    }

    /** Asks whoever is at the address, on whichever node, and waits as long as he is heard of; never fails. */
    public Future<R> request(Patience patience, String address, Q question) {
        return patience.await(
                address,
                options ->
                        request(patience.bus(), address, question, options.setSendTimeout(anywhere.getSendTimeout())),
                failed);
    }

    private Future<R> request(EventBus bus, String address, Q question, DeliveryOptions options) {
        return bus.<Object>request(address, question, options)
                .map(reply -> replyType.cast(reply.body()))
                .recover(cause -> Future.succeededFuture(failed.apply(lost(address, cause))));
    }

    /** Whether the bus, not who was asked, has failed. */
    static boolean isLost(Failure failure) {
        return failure.code().startsWith(LOST);
    }

    private static Failure lost(String address, Throwable cause) {
        String code = cause instanceof ReplyException reply
                ? LOST + "-"
                        + reply.failureType()
                                .name()
                                .toLowerCase(java.util.Locale.ROOT)
                                .replace('_', '-')
                : LOST;
        return Failure.notTried(code, address + ": " + cause.getMessage());
    }

    /** A consumer's handler that answers each request with what {@code answer} says, whatever happens in it. */
    public Handler<Message<Q>> serve(Function<Q, Future<R>> answer) {
        return message -> {
            Runnable enough = Patience.showSignsOfLife(message);
            Future<R> reply;
            try {
                reply = answer.apply(message.body());
            } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
                // Also what a plug-in lacks: who asks would wait for ever.
                reply = Future.failedFuture(e);
            }
            reply.onComplete(result -> {
                enough.run();
                message.reply(result.succeeded() ? result.result() : failed.apply(Failure.of(result.cause())));
            });
        };
    }
}
