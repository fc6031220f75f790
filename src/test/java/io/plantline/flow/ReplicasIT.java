package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.Generator;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replicas that share subscriptions, as a StatefulSet runs them; the API server is a fake that knows one StatefulSet. */
class ReplicasIT {
    private static final int TOPICS = 30;
    private static final int RATE = Integer.getInteger("replicas.rate", 3_000);
    private static final Duration LONG = Duration.ofMinutes(1);

    @TempDir
    private Path directory;

    private final AtomicInteger wanted = new AtomicInteger(3);
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<PlantlineProcess> running = new ArrayList<>();
    private final int[] http = {Ports.free(), Ports.free(), Ports.free()};
    private final HttpClient client = HttpClient.newHttpClient();
    private AutoCloseable broker;
    private int source;
    private Artemis sink;
    private HttpServer api;

    @BeforeEach
    void startApi() throws IOException {
        api = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        api.createContext("/", exchange -> {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            byte[] set =
                    ("{\"kind\": \"StatefulSet\", \"metadata\": {\"name\": \"plantline\"}, \"spec\": {\"replicas\": "
                                    + wanted.get() + "}}")
                            .getBytes();
            exchange.sendResponseHeaders(200, set.length);
            exchange.getResponseBody().write(set);
            exchange.close();
        });
        api.start();
        Files.createDirectories(directory.resolve("account"));
        Files.writeString(directory.resolve("account").resolve("token"), "secret-token\n");
        sink = Artemis.start();
    }

    @AfterEach
    void stop() throws Exception {
        running.forEach(PlantlineProcess::close);
        api.stop(0);
        sink.close();
        if (broker != null) {
            broker.close();
        }
    }

    private void startBroker(String which) throws IOException {
        if (which.equals("mosquitto")) {
            Mosquitto.assumeInstalled();
            Mosquitto started = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000");
            broker = started;
            source = started.port();
        } else {
            Artemis started = Artemis.start();
            broker = started;
            source = started.port();
        }
    }

    private PlantlineProcess replica(int ordinal) {
        String document = """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "receive-maximum": 100,
                                 "subscription-mode": "shared", "share-group": "replicas"},
                 "targets": {"sink": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d}},
                 "subscriptions": {"plant/#": {"qos": 1, "target": "sink"}}}""".formatted(source, sink.port());
        PlantlineProcess replica = PlantlineProcess.in(directory)
                .config(document)
                .environment("HOSTNAME", "plantline-" + ordinal)
                .environment("EDGE_CLIENT_ID", "plantline-" + ordinal)
                .environment(
                        "EDGE_DATA_DIR", directory.resolve("data-" + ordinal).toString())
                .environment("EDGE_HTTP", "127.0.0.1:" + http[ordinal])
                .environment("EDGE_STATEFULSET", "plantline")
                .environment("EDGE_NAMESPACE", "plants")
                .environment(
                        "EDGE_KUBERNETES_API",
                        "http://127.0.0.1:" + api.getAddress().getPort())
                .environment(
                        "EDGE_SERVICE_ACCOUNT", directory.resolve("account").toString())
                .start();
        running.add(replica);
        return replica;
    }

    private long received(int ordinal) {
        return received(metrics(ordinal).join());
    }

    private CompletableFuture<String> metrics(int ordinal) {
        return client.sendAsync(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http[ordinal] + "/metrics"))
                                .build(),
                        BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
    }

    private static long received(String metrics) {
        Matcher count =
                Pattern.compile("(?m)^plantline_mqtt_received_total (\\S+)$").matcher(metrics);
        assertThat(count.find()).isTrue();
        return (long) Double.parseDouble(count.group(1));
    }

    /** At one moment. */
    private long[] receivedByAll() {
        List<CompletableFuture<String>> all =
                IntStream.range(0, 3).mapToObj(this::metrics).toList();
        return all.stream().mapToLong(metrics -> received(metrics.join())).toArray();
    }

    private long[] receivedInTwelveSeconds(Collector collector) {
        long[] before = receivedByAll();
        long delivered = collector.tally().total();
        await().atMost(LONG).until(() -> collector.tally().total() > delivered + 12L * RATE);
        long[] after = receivedByAll();
        return IntStream.range(0, 3).mapToLong(i -> after[i] - before[i]).toArray();
    }

    /** Whether each has what is even, give or take a fifth. */
    private static boolean isEven(long[] parts) {
        double even = LongStream.of(parts).average().orElseThrow();
        return even > 0 && LongStream.of(parts).allMatch(part -> part > 0.8 * even && part < 1.2 * even);
    }

    /** What the replicas have to say of themselves. */
    private String said() {
        StringBuilder text = new StringBuilder();
        running.forEach(replica -> text.append("\n--\n").append(replica.log()));
        return text.toString();
    }

    /**
     * Subscribed at the sink, where each topic has had a message: Artemis may lose what several clients publish to a new address
     * at the same time (docs/brokers.md). That message's stamp is of a topic beyond those that are counted.
     */
    private Collector collector() throws IOException {
        Collector collector = new Collector(sink.port(), "plant/#", 1);
        new Generator(sink.port(), TOPICS, t -> "plant/line" + (t - TOPICS), 1, 200)
                .topicsFrom(TOPICS)
                .publish(TOPICS, 0, 1);
        await().atMost(LONG).until(() -> collector.tally().total() == TOPICS);
        return collector;
    }

    private void allArrives(Collector collector, int perTopic) {
        try {
            await().atMost(LONG)
                    .until(() -> collector.tally().missing(TOPICS, perTopic).isEmpty());
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "missing " + collector.tally().missing(TOPICS, perTopic) + ", " + collector.tally() + said(), e);
        }
        assertThat(collector.tally().altered()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"mosquitto", "artemis"})
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void threeReplicasShareTheLoadAndOneThatIsKilledLosesNothing(String which) throws Exception {
        startBroker(which);
        for (int i = 0; i < 3; i++) {
            replica(i).awaitSubscribed();
        }
        long[] parts;
        try (Collector collector = collector()) {
            Load load = Load.start(source, TOPICS, 1, 200, RATE);
            // Artemis looks at who has room, which says little of the share while replicas are young.
            await().atMost(LONG).until(() -> collector.tally().total() > 3L * RATE);
            parts = receivedInTwelveSeconds(collector);
            assertThat(isEven(parts)).as(Arrays.toString(parts)).isTrue();
            allArrives(collector, load.stop());
            assertThat(collector.tally().duplicates()).isZero();
        }
        try (Collector collector = collector()) {
            Load load = Load.start(source, TOPICS, 1, 200, RATE);
            await().atMost(LONG).until(() -> collector.tally().total() > RATE);
            assertThat(running.get(1).kill()).isEqualTo(137);
            long before = collector.tally().total();
            await().atMost(LONG).until(() -> collector.tally().total() > before + RATE);
            replica(1).awaitSubscribed();
            allArrives(collector, load.stop());
            System.out.println(which + ": three replicas received " + Arrays.toString(parts) + ", one was killed: "
                    + collector.tally());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mosquitto", "artemis"})
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void replicasComeAndGoUnderLoadAndNothingIsMissing(String which) throws Exception {
        startBroker(which);
        PlantlineProcess first = replica(0).awaitSubscribed();
        try (Collector collector = collector()) {
            Load load = Load.start(source, TOPICS, 1, 200, RATE);
            await().atMost(LONG).until(() -> collector.tally().total() > RATE);
            List<PlantlineProcess> more =
                    List.of(replica(1).awaitSubscribed(), replica(2).awaitSubscribed());
            await().atMost(LONG).until(() -> received(1) > RATE && received(2) > RATE);
            wanted.set(1);
            for (PlantlineProcess replica : more) {
                replica.terminate();
            }
            for (PlantlineProcess replica : more) {
                assertThat(replica.exitCode()).isIn(0, 143);
                assertThat(replica.log()).contains("SCALE-IN:").doesNotContain("UNFINISHED");
            }
            assertThat(asked)
                    .hasSize(2)
                    .containsOnly("GET /apis/apps/v1/namespaces/plants/statefulsets/plantline Bearer secret-token");
            long before = received(0);
            await().atMost(LONG).until(() -> received(0) > before + RATE);
            allArrives(collector, load.stop());
            if (which.equals("mosquitto")) {
                assertThat(collector.tally().duplicates()).isZero();
            }
            // A restart is no scale-in: its session waits for it.
            first.terminate();
            assertThat(first.exitCode()).isIn(0, 143);
            assertThat(first.log()).doesNotContain("SCALE-IN");
            System.out.println(which + ": from one replica to three and back: " + collector.tally());
        }
    }
}
