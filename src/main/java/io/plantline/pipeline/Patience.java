package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Waits for answers of other nodes as long as they show signs of life. An answer may take minutes (an upload), and a node may
 * be gone in a moment: no fixed deadline fits both. Who answers tells the asker every {@value #SIGN_MILLIS} ms that he is at
 * it; a silence means that the request, the reply or the node is lost, and that the same may be asked again. Used on one
 * context.
 */
public final class Patience {
    private static final String ASKER = "asker";
    private static final String NUMBER = "number";
    private static final long SIGN_MILLIS = 2_000;
    private static final long LOOK_MILLIS = 1_000;

    private final ContextInternal context;
    private final Duration silence;
    private final String address = "asker." + UUID.randomUUID();
    private final Map<Long, Asked> asked = new HashMap<>();
    private @Nullable MessageConsumer<Long> signs;
    private long numbers;
    private long timer = -1;

    private static final class Asked {
        private long heardNanos = System.nanoTime();
        private final Runnable lost;

        Asked(Runnable lost) {
            this.lost = lost;
        }
    }

    /**
     * Nothing is asked yet.
     *
     * @param silence after which an answer is not expected any more
     */
    public Patience(ContextInternal context, Duration silence) {
        this.context = context;
        this.silence = silence;
    }

    EventBus bus() {
        return context.owner().eventBus();
    }

    /** Listens for signs of life. */
    public Future<Void> start() {
        MessageConsumer<Long> listening = bus().<Long>consumer(address).handler(sign -> {
            Asked one = asked.get(sign.body());
            if (one != null) {
                one.heardNanos = System.nanoTime();
            }
        });
        signs = listening;
        timer = context.setPeriodic(LOOK_MILLIS, id -> look());
        return listening.completion();
    }

    private void look() {
        long now = System.nanoTime();
        asked.values().stream()
                .filter(one -> now - one.heardNanos > silence.toNanos())
                .toList()
                .forEach(one -> one.lost.run());
    }

    /** Asks with options that name who asks; what is lost becomes an answer too. */
    <R> Future<R> await(String whom, Function<DeliveryOptions, Future<R>> ask, Function<Failure, R> failed) {
        long number = numbers++;
        Promise<R> answer = context.promise();
        asked.put(
                number,
                new Asked(() -> answer.tryComplete(failed.apply(Failure.retry(
                        "bus-silent", "nothing was heard of " + whom + " for " + silence.toSeconds() + " s")))));
        ask.apply(new DeliveryOptions().addHeader(ASKER, address).addHeader(NUMBER, Long.toString(number)))
                .onSuccess(answer::tryComplete);
        return answer.future().onComplete(done -> asked.remove(number));
    }

    /** Tells the asker, if he wants to know, that his request is being worked on, until the result is run. */
    static Runnable showSignsOfLife(Message<?> request) {
        String asker = request.headers().get(ASKER);
        if (asker == null) {
            return () -> {};
        }
        Long number = Long.valueOf(request.headers().get(NUMBER));
        Vertx vertx = ContextInternal.current().owner();
        long timer = vertx.setPeriodic(SIGN_MILLIS, id -> vertx.eventBus().send(asker, number));
        return () -> vertx.cancelTimer(timer);
    }

    /** Waits for nothing more. */
    public Future<Void> stop() {
        context.owner().cancelTimer(timer);
        MessageConsumer<Long> listening = signs;
        return listening == null ? Future.succeededFuture() : listening.unregister();
    }
}
