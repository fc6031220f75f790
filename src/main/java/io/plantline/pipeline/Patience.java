package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Waits for answers of other nodes as long as they show signs of life. An answer may take minutes (an upload), and a node may
 * be gone in a moment: no fixed deadline fits both. Who answers tells the asker at once, and every {@value #SIGN_MILLIS} ms, that
 * he is at it. If his node leaves the cluster, or a silence says that the request, the reply or the node is lost, the same may be
 * asked again. Used on one context.
 */
public final class Patience {
    private static final String ASKER = "asker";
    private static final String NUMBER = "number";
    private static final String NODE = "node";
    private static final long SIGN_MILLIS = 2_000;
    private static final long LOOK_MILLIS = 1_000;

    /** The first sign is sent when a request arrives: who does not send it has not got it. */
    private static final Duration FIRST_SIGN = Duration.ofMillis(2 * SIGN_MILLIS);

    private final ContextInternal context;
    private final Duration silence;
    private final Duration first;
    private final String address = "asker." + UUID.randomUUID();
    private final Map<Long, Asked> asked = new HashMap<>();
    private @Nullable MessageConsumer<Long> signs;
    private long numbers;
    private long timer = -1;

    private static final class Asked {
        private final Consumer<Failure> lost;
        private long heardNanos = System.nanoTime();
        private boolean begun;
        private @Nullable String node;

        Asked(Consumer<Failure> lost) {
            this.lost = lost;
        }

        void heard(@Nullable String of) {
            heardNanos = System.nanoTime();
            begun = true;
            node = of;
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
        this.first = silence.compareTo(FIRST_SIGN) < 0 ? silence : FIRST_SIGN;
    }

    EventBus bus() {
        return context.owner().eventBus();
    }

    /** Listens for signs of life. */
    public Future<Void> start() {
        MessageConsumer<Long> listening = bus().<Long>consumer(address).handler(sign -> {
            Asked one = asked.get(sign.body());
            if (one != null) {
                one.heard(sign.headers().get(NODE));
            }
        });
        signs = listening;
        timer = context.setPeriodic(LOOK_MILLIS, id -> look());
        return listening.completion();
    }

    private void look() {
        if (asked.isEmpty()) {
            return;
        }
        long now = System.nanoTime();
        ClusterManager cluster = context.owner().clusterManager();
        Set<String> nodes = cluster == null ? Set.of() : Set.copyOf(cluster.getNodes());
        for (Asked one : List.copyOf(asked.values())) {
            String node = one.node;
            if (cluster != null && node != null && !nodes.contains(node)) {
                one.lost.accept(Failure.retry("bus-node-left", "the node that was at it has left the cluster"));
            } else if (now - one.heardNanos > (one.begun ? silence : first).toNanos()) {
                one.lost.accept(Failure.retry("bus-silent", "nothing is heard of it"));
            }
        }
    }

    /** Asks with options that name who asks; what is lost becomes an answer too. */
    <R> Future<R> await(String whom, Function<DeliveryOptions, Future<R>> ask, Function<Failure, R> failed) {
        long number = numbers++;
        Promise<R> answer = context.promise();
        asked.put(
                number,
                new Asked(why ->
                        answer.tryComplete(failed.apply(Failure.retry(why.code(), whom + ": " + why.detail())))));
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
        VertxInternal vertx = ContextInternal.current().owner();
        DeliveryOptions from = new DeliveryOptions();
        ClusterManager cluster = vertx.clusterManager();
        if (cluster != null) {
            from.addHeader(NODE, cluster.getNodeId());
        }
        long timer = vertx.setPeriodic(0, SIGN_MILLIS, id -> vertx.eventBus().send(asker, number, from));
        return () -> vertx.cancelTimer(timer);
    }

    /** Waits for nothing more. */
    public Future<Void> stop() {
        context.owner().cancelTimer(timer);
        MessageConsumer<Long> listening = signs;
        return listening == null ? Future.succeededFuture() : listening.unregister();
    }
}
