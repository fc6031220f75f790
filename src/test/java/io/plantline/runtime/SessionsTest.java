package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Connections;
import io.plantline.config.Plugins;
import io.plantline.testkit.CollectingOutbox;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two sessions with a broker that refuses a part of what is new. */
class SessionsTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Plugins plugins = PluginCatalog.load(Path.of("no-plugins"));
    private final Secrets secrets = new Secrets(vertx, plugins, reference -> {});
    private final Sessions sessions = new Sessions(vertx, null, secrets, () -> Map.of("lake", new CollectingOutbox()));
    private ScriptedBroker broker;

    @BeforeEach
    void start() {
        broker = ScriptedBroker.start();
    }

    @AfterEach
    void stop() {
        broker.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private Configuration configuration(String... filters) {
        String subscriptions = Stream.of(filters)
                .map(filter -> "\"%s\": {\"qos\": 1, \"target\": \"lake\"}".formatted(filter))
                .collect(Collectors.joining(", "));
        String document = """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "two", "connections": 2},
                 "targets": {"lake": {"type": "file", "directory": "target/lake"}},
                 "subscriptions": {%s}}""".formatted(broker.port(), subscriptions);
        return new ConfigurationParser(plugins, 2).parse(document, Map.of()).configuration();
    }

    private <T> Future<T> onContext(Supplier<Future<T>> work) {
        Promise<T> done = Promise.promise();
        context.runOnContext(v -> work.get().onComplete(done));
        return done.future();
    }

    /** The filters of each connection. */
    private static List<List<String>> split(Configuration configuration) {
        return Connections.split(configuration.subscriptions(), 2).stream()
                .map(part -> part.stream()
                        .map(subscription -> subscription.filter().text())
                        .toList())
                .toList();
    }

    private static String text(Packet packet) {
        return new String(packet.body(), StandardCharsets.UTF_8);
    }

    @Test
    void whatOneConnectionIsRefusedIsTakenBackOnTheOthersBeforeTheChangeIsSaidToHaveFailed() {
        Configuration former = configuration("a", "b", "c", "d");
        Configuration next = configuration("a", "b", "c", "d", "e", "f", "g", "h");
        List<List<String>> added = split(next);
        for (int i = 0; i < 2; i++) {
            assertThat(split(former).get(i)).isNotEmpty();
            assertThat(added.get(i)).hasSizeGreaterThan(split(former).get(i).size());
        }

        Future<Void> started = onContext(() -> sessions.start(former));
        Connection[] connections = new Connection[2];
        for (int i = 0; i < 2; i++) {
            Connection connection = broker.welcome(false);
            boolean second = text(connection.connect()).contains("two.1");
            connections[second ? 1 : 0] = connection;
        }
        await().until(started::succeeded);
        await().until(onContext(sessions::subscribed)::succeeded);

        Future<Void> changed = onContext(() -> sessions.change(next, false));
        connections[0].grantSubscriptions();
        Packet asked = connections[1].expect(Packet.SUBSCRIBE);
        int[] refused = connections[1].askedQos(asked);
        refused[refused.length - 1] = 0x87;
        connections[1].send(Packet.subAck(5, asked.id(), refused));
        if (refused.length > 1) {
            connections[1].send(
                    Packet.unsubAck(5, connections[1].expect(Packet.UNSUBSCRIBE).id()));
        }

        Packet takenBack = connections[0].expect(Packet.UNSUBSCRIBE);
        assertThat(added.get(0))
                .filteredOn(filter -> !split(former).get(0).contains(filter))
                .allSatisfy(filter -> assertThat(text(takenBack)).contains(filter));
        connections[0].expectSilence(100);
        assertThat(changed.isComplete()).isFalse();
        connections[0].send(Packet.unsubAck(5, takenBack.id()));
        await().until(changed::failed);
        assertThat(changed.cause()).hasMessageContaining("refused, reason 0x87");
    }
}
