package io.plantline.bench;

import io.plantline.model.TopicFilter;
import io.plantline.mqtt.MessageHandler;
import io.plantline.mqtt.MqttSession;
import io.plantline.mqtt.ReceivedMessage;
import io.plantline.mqtt.SessionOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** The receive session alone: every message is safe at once. */
final class ReceiveSession {
    private ReceiveSession() {}

    /** The process itself. */
    public static void main(String[] arguments) {
        int port = Integer.parseInt(arguments[0]);
        Vertx vertx =
                Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1));
        ContextInternal context = (ContextInternal) vertx.getOrCreateContext();
        SessionOptions options = new SessionOptions(
                List.of(new SessionOptions.Address("127.0.0.1", port)),
                5,
                "receive",
                Duration.ofSeconds(15),
                Duration.ofSeconds(10),
                Duration.ofDays(1),
                Duration.ofMillis(100),
                Duration.ofSeconds(1),
                65_535,
                1 << 24,
                64 << 20,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(new SessionOptions.Subscription(TopicFilter.of("bench/#"), 1, 0)));
        MessageHandler discard = new MessageHandler() {
            @Override
            public void message(ReceivedMessage message) {}

            @Override
            public Future<Void> endOfRead() {
                return Future.succeededFuture();
            }
        };
        MqttSession session = new MqttSession(
                context,
                options,
                refresh -> Future.succeededFuture(Optional.empty()),
                discard,
                status -> {},
                Clock.systemUTC(),
                RandomGenerator.getDefault());
        context.runOnContext(v -> session.start());
    }
}
