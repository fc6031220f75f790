package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Plugins;
import io.plantline.mqtt.SessionStatus;
import io.plantline.runtime.House;
import io.plantline.runtime.PluginCatalog;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.Collector;
import io.plantline.testkit.FakeSecretsManager;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.Ports;
import io.plantline.testkit.Stamp;
import io.plantline.testkit.WireClient;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates, keys and passwords that change while the document does not, at real brokers. */
class RotationIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private final Vertx vertx = Vertx.vertx();
    private final Plugins plugins = PluginCatalog.load(Path.of("no-plugins"));
    private final ConfigurationParser parser = new ConfigurationParser(plugins, 2);
    private final int plain = Ports.free();
    private final int secured = Ports.free();
    private Certificates server;
    private Certificates first;
    private Certificates second;
    private Mosquitto source;
    private Mosquitto sink;
    private House house;
    private int published;

    @BeforeEach
    void start() throws Exception {
        Mosquitto.assumeInstalled();
        server = Certificates.make(directory, "server", "dns:localhost");
        first = Certificates.make(directory, "first", "dns:first");
        second = Certificates.make(directory, "second", "dns:second");
        Files.createDirectories(directory.resolve("tls"));
        Files.createDirectories(directory.resolve("secret"));
        put("tls/ca.crt", server.certificate());
        use(first);
        usePassword("old");
        source = sourceThatTrusts(first, second);
        sink = sink();
        house = new House(vertx, plugins, text -> parser.definition(text, Map.of()), null);
        get(house.start(configuration(document())));
        await().atMost(SOON).until(() -> get(house.sessions()).get(0).state() == SessionStatus.State.SUBSCRIBED);
    }

    private Configuration configuration(String document) throws Exception {
        return parser.parse(document, Map.of()).configuration();
    }

    @AfterEach
    void stop() throws Exception {
        if (house != null) {
            get(house.stop(Duration.ofSeconds(2)));
        }
        get(vertx.close());
        for (Mosquitto broker : new Mosquitto[] {source, sink}) {
            if (broker != null) {
                broker.close();
            }
        }
    }

    private String document() {
        String credential = "{\"type\": \"file\", \"directory\": \"" + directory.resolve("secret") + "\"}";
        return document(credential);
    }

    private String document(String credential) {
        return """
                {"mqtt-broker": {"addresses": ["localhost:%d"], "client-id": "rotation", "keep-alive": "15s",
                                 "reconnect-max": "1s",
                                 "tls": {"ca": "%s", "certificate": "%s", "key": "%s"}},
                 "targets": {"sink": {"type": "mqtt", "mqtt-broker-host": "localhost", "mqtt-broker-port": %d, "topic": "out/{topic}",
                                      "mqtt-credential": %s}},
                 "subscriptions": {"in/#": {"qos": 1, "target": "sink"}}}""".formatted(
                        secured,
                        directory.resolve("tls/ca.crt"),
                        directory.resolve("tls/client.crt"),
                        directory.resolve("tls/client.key"),
                        sink.port(),
                        credential);
    }

    private Mosquitto sourceThatTrusts(Certificates... clients) throws IOException {
        StringBuilder trusted = new StringBuilder();
        for (Certificates client : clients) {
            trusted.append(Files.readString(client.certificate()));
        }
        Path authorities = Files.writeString(directory.resolve("clients.crt"), trusted);
        return Mosquitto.startOn(
                plain,
                directory.resolve("source"),
                "per_listener_settings true",
                "persistence true",
                "persistence_location " + directory.resolve("source") + "/",
                "listener " + plain + " 127.0.0.1",
                "allow_anonymous true",
                "listener " + secured + " 127.0.0.1",
                "allow_anonymous true",
                "cafile " + authorities,
                "certfile " + server.certificate(),
                "keyfile " + server.key(),
                "require_certificate true",
                "use_identity_as_username true");
    }

    private Mosquitto sink() throws Exception {
        Path passwords = directory.resolve("passwords");
        Files.writeString(passwords, "old:secret-of-old\nnew:secret-of-new\nreader:reads\n");
        assertThat(new ProcessBuilder("mosquitto_passwd", "-U", passwords.toString())
                        .start()
                        .waitFor())
                .isZero();
        return Mosquitto.start(directory.resolve("sink"), "password_file " + passwords, "allow_anonymous false");
    }

    private void put(String name, Path from) throws IOException {
        Path temporary = Files.copy(from, directory.resolve("next"), StandardCopyOption.REPLACE_EXISTING);
        Files.move(temporary, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private void use(Certificates client) throws IOException {
        put("tls/client.crt", client.certificate());
        put("tls/client.key", client.key());
    }

    private void usePassword(String user) throws IOException {
        put("secret/username", Files.writeString(directory.resolve("user"), user));
        put("secret/password", Files.writeString(directory.resolve("user"), "secret-of-" + user));
    }

    private String log(Mosquitto broker, String name) throws IOException {
        return Files.readString(directory.resolve(name).resolve("mosquitto-" + broker.port() + ".log"));
    }

    private int connections() throws IOException {
        return log(source, "source").split("New connection", -1).length;
    }

    private void publish(WireClient generator, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            generator.publish("in/a", 1, false, new Stamp(0, published++, System.nanoTime()).payload(100));
        }
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void aPasswordThatChangesIsUsedBeforeTheOldConnectionGoes() throws Throwable {
        changesUsers(() -> usePassword("new"));
    }

    @Test
    void aNewVersionInSecretsManagerIsUsedBeforeTheOldConnectionGoes() throws Throwable {
        try (FakeSecretsManager manager = FakeSecretsManager.start().secret("sink", "old", "secret-of-old")) {
            System.setProperty("aws.endpointUrlSecretsManager", manager.uri().toString());
            System.setProperty("aws.accessKeyId", "key");
            System.setProperty("aws.secretAccessKey", "secret");
            get(house.change(configuration(document(
                    "{\"secret-name\": \"sink\", \"secret-region\": \"us-east-1\", \"secret-refresh\": \"2s\"}"))));
            changesUsers(() -> manager.secret("sink", "new", "secret-of-new"));
        } finally {
            System.clearProperty("aws.endpointUrlSecretsManager");
            System.clearProperty("aws.accessKeyId");
            System.clearProperty("aws.secretAccessKey");
        }
    }

    /** The sink's user is another one from now on, and nobody notices. */
    private void changesUsers(ThrowingRunnable change) throws Throwable {
        try (Collector collector = new Collector(sink.port(), "out/#", 1, "reader", "reads");
                WireClient generator = WireClient.connect(plain, "generator", 4, true)) {
            publish(generator, 50);
            change.run();
            await().atMost(SOON).until(() -> {
                publish(generator, 5);
                return log(sink, "sink").contains("u'new'");
            });
            publish(generator, 50);
            await().atMost(SOON).until(() -> collector.tally().distinct() == published);
            assertThat(collector.tally().duplicates()).isZero();
        }
        String log = log(sink, "sink");
        assertThat(log.indexOf("u'new'")).isGreaterThan(log.indexOf("u'old'"));
        assertThat(get(house.sessions()).get(0).counters().connects()).isOne();
    }

    @Test
    void aClientCertificateThatChangesIsUsedFromTheNextConnectionOn() throws Exception {
        try (Collector collector = new Collector(sink.port(), "out/#", 1, "reader", "reads")) {
            try (WireClient generator = WireClient.connect(plain, "generator", 4, true)) {
                publish(generator, 50);
                // Half of a rotation fits nothing: what runs goes on.
                put("tls/client.crt", second.certificate());
                await().during(Duration.ofSeconds(7)).atMost(SOON).until(() -> {
                    publish(generator, 5);
                    return get(house.sessions()).get(0).state() == SessionStatus.State.SUBSCRIBED;
                });
                int before = connections();
                put("tls/client.key", second.key());
                // The new certificate is tried before it is needed.
                await().atMost(SOON).until(() -> connections() > before);
                await().atMost(SOON).until(() -> collector.tally().distinct() == published);
            }
            assertThat(get(house.sessions()).get(0).counters().connects()).isOne();
            source.stop();
            source = sourceThatTrusts(second);
            await().atMost(SOON).until(() -> log(source, "source").contains("u'second'"));
            try (WireClient generator = WireClient.connect(plain, "generator", 4, true)) {
                publish(generator, 50);
            }
            await().atMost(SOON).until(() -> collector.tally().distinct() == published);
            assertThat(collector.tally().duplicates()).isZero();
        }
    }
}
