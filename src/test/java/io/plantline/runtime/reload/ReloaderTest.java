package io.plantline.runtime.reload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationException;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Plugins;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.ConfigurationReport;
import io.plantline.observe.ConfigurationReport.Outcome;
import io.plantline.observe.OutboxReport;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.House;
import io.plantline.runtime.PluginCatalog;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.ConfigMapMount;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A house that follows documents, with a real broker and real files. */
class ReloaderTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long SEED = 20_261_124;

    @TempDir
    private Path directory;

    private final Vertx vertx = Vertx.vertx();
    private final Plugins plugins = PluginCatalog.load(Path.of("no-plugins"));
    private final ConfigurationParser parser = new ConfigurationParser(plugins, 2);
    private Artemis broker;
    private DataDirectory data;
    private ConfigMapMount mount;
    private House house;
    private Reloader reloader;

    @BeforeEach
    void start() throws Exception {
        broker = Artemis.start();
        data = DataDirectory.open(directory.resolve("data"));
        String first = document();
        mount = ConfigMapMount.in(directory.resolve("config"), first);
        house = new House(vertx, plugins, source -> parser.definition(source, Map.of()), data);
        Configuration configuration = parser.parse(first, Map.of()).configuration();
        get(house.start(configuration));
        reloader = new Reloader(vertx, house, parser, Map.of(), mount.file(), data, configuration, first);
        get(reloader.start());
        await().until(() -> get(house.sessions()).get(0).state() == SessionStatus.State.SUBSCRIBED);
    }

    @AfterEach
    void stop() throws Exception {
        get(house.stop(Duration.ofSeconds(2)));
        get(vertx.close());
        data.close();
        broker.close();
    }

    private String document() {
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "reloader", "keep-alive": "15s"},
                 "data-directory": "%s",
                 "targets": {"lake": {"type": "file", "directory": "%s", "processors": ["model"],
                                      "batch": {"max-records": 100}, "outbox": {"max-bytes": "1GiB"}},
                             "raw": {"type": "file", "directory": "%s", "format": "raw", "retry-max": "5s"},
                             "spare": {"type": "file", "directory": "%s", "dead-letter-target": "raw"}},
                 "processors": {"model": {"type": "remote", "base-url": "http://127.0.0.1:9/m", "processor-id": "m",
                                          "timeout": "2s"}},
                 "subscriptions": {"a/#": {"qos": 1, "target": "lake"}, "b/+": {"qos": 2, "targets": ["raw", "spare"]},
                                   "c": {"qos": 0, "target": "raw"}}}""".formatted(
                        broker == null ? 1883 : port(),
                        directory.resolve("data"),
                        directory.resolve("lake"),
                        directory.resolve("raw"),
                        directory.resolve("spare"));
    }

    private int port() {
        return broker.port();
    }

    private static <T> T get(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private ConfigurationReport reload(String document) throws Exception {
        mount.swap(document);
        return get(reloader.reload());
    }

    /** Names of the targets that run; what drains has a fingerprint behind its name. */
    private Set<String> targets() throws Exception {
        return get(house.operations().outboxes()).stream()
                .map(OutboxReport::target)
                .filter(name -> !name.contains("-"))
                .collect(Collectors.toSet());
    }

    @Test
    void whateverBecomesOfADocumentItAppliesWhollyOrChangesNothingAndSaysWhy() throws Exception {
        Random random = new Random(SEED);
        JsonNode runs = JSON.readTree(document());
        Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
        for (int i = 0; i < 60; i++) {
            JsonNode mutated = mutate(runs.deepCopy(), random);
            String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(mutated);
            ConfigurationReport before = get(reloader.configuration());
            Set<String> targetsBefore = targets();
            ConfigurationReport after = reload(text);
            Outcome outcome =
                    text.equals(document()) ? Outcome.UNCHANGED : after.last().outcome();
            outcomes.merge(outcome, 1, Integer::sum);
            if (outcome == Outcome.APPLIED || outcome == Outcome.UNCHANGED) {
                Configuration expected = parser.parse(text, Map.of()).configuration();
                assertThat(after.hash()).as(text).isEqualTo(expected.hash());
                assertThat(targets()).as(text).isEqualTo(expected.targets().keySet());
                runs = mutated;
            } else {
                assertThat(after.hash()).as(text).isEqualTo(before.hash());
                assertThat(after.generation()).isEqualTo(before.generation());
                assertThat(targets()).as(text).isEqualTo(targetsBefore);
                assertThat(after.last().problems()).as(text).isNotEmpty();
            }
            assertThat(get(house.sessions()).get(0).state()).as(text).isIn(SessionStatus.State.SUBSCRIBED);
        }
        System.out.println("seed " + SEED + ": " + outcomes);
        assertThat(outcomes.getOrDefault(Outcome.APPLIED, 0)).isGreaterThan(10);
        assertThat(outcomes.getOrDefault(Outcome.REFUSED, 0)).isGreaterThan(10);
    }

    /** One edit somewhere: something goes, becomes something else, is there twice under another name, or is new. */
    private static JsonNode mutate(JsonNode root, Random random) {
        List<ObjectNode> objects = new ArrayList<>();
        collect(root, objects);
        ObjectNode object = objects.get(random.nextInt(objects.size()));
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        if (names.isEmpty()) {
            object.put("new", 1);
            return root;
        }
        String name = names.get(random.nextInt(names.size()));
        JsonNode value = object.get(name);
        switch (random.nextInt(6)) {
            case 0 -> object.remove(name);
            case 1 -> object.set(name + "x", value.deepCopy());
            case 2 -> object.put(name, random.nextInt(3));
            case 3 -> object.put(name, "text");
            default -> change(object, name, value, random);
        }
        return root;
    }

    /** An edit that makes sense, as far as that can be known. */
    private static void change(ObjectNode object, String name, JsonNode value, Random random) {
        if (value.isInt()) {
            object.put(name, value.asInt() == 1 ? 2 : 1);
        } else if (value.isTextual()
                && value.asText().endsWith("s")
                && !value.asText().startsWith("/")) {
            object.put(name, 2 + random.nextInt(20) + "s");
        } else if (value.isTextual() && value.asText().startsWith("/") && !name.equals("data-directory")) {
            object.put(name, value.asText() + "x");
        } else if (value.isObject()) {
            object.set(name + random.nextInt(3), value.deepCopy());
        }
    }

    private static void collect(JsonNode node, List<ObjectNode> objects) {
        if (node.isObject()) {
            objects.add((ObjectNode) node);
            node.forEach(child -> collect(child, objects));
        }
    }

    @Test
    void ofManyDocumentsInAShortTimeTheLastOneWins() throws Exception {
        String document = document();
        int threads = 0;
        for (int i = 0; i < 100; i++) {
            mount.swap(document.replace("\"retry-max\": \"5s\"", "\"retry-max\": \"" + (6 + i) + "s\"")
                    .replace("raw\", \"format\"", "raw" + i % 2 + "\", \"format\""));
            if (i % 2 == 0) {
                reloader.reload();
            }
            TimeUnit.MILLISECONDS.sleep(20);
            if (i == 50) {
                threads = Thread.activeCount();
            }
        }
        String last = document.replace("\"5s\"", "\"200s\"");
        ConfigurationReport report = reload(last);
        assertThat(report.hash())
                .isEqualTo(parser.parse(last, Map.of()).configuration().hash());
        assertThat(targets()).containsExactlyInAnyOrder("lake", "raw", "spare");
        await().atMost(Duration.ofSeconds(30))
                .until(() -> get(house.operations().outboxes()).size() == 3);
        assertThat(Thread.activeCount()).isLessThan(threads + 10);
    }

    @Test
    void whatIsAskedForWhileItIsBeingAppliedIsAppliedOnce() throws Exception {
        mount.swap(document().replace("a/#", "z/#"));
        Future<ConfigurationReport> first = reloader.reload();
        Future<ConfigurationReport> second = reloader.reload();
        for (ConfigurationReport report : List.of(get(first), get(second))) {
            assertThat(report.generation()).isEqualTo(2);
            assertThat(report.last().outcome()).isEqualTo(Outcome.APPLIED);
        }
    }

    @Test
    void aDocumentThatIsGoneIsToldAndTakenUpWhenItIsBack() throws Exception {
        Path away = directory.resolve("config/away");
        Files.move(mount.file(), away);
        await().until(() -> outcome() == Outcome.REFUSED);
        ConfigurationReport gone = get(reloader.configuration());
        assertThat(gone.last().problems()).hasSize(1).first().asString().contains(mount.file() + " cannot be read");
        assertThat(gone.generation()).as("what runs goes on").isEqualTo(1);
        Files.move(away, mount.file());
        await().until(() -> outcome() == Outcome.UNCHANGED);
    }

    private @Nullable Outcome outcome() throws Exception {
        ConfigurationReport.Attempt last = get(reloader.configuration()).last();
        return last == null ? null : last.outcome();
    }

    @Test
    void whatCannotChangeWhileItRunsIsRefusedAndSaysSo() throws Exception {
        ConfigurationReport report = reload(document()
                .replace(
                        directory.resolve("data").toString(),
                        directory.resolve("other").toString()));
        assertThat(report.last().outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.last().problems().get(0)).contains("/data-directory").contains("restart");
    }

    @Test
    void aBrokerThatDoesNotAnswerIsNotMovedTo() throws Exception {
        ConfigurationReport report =
                reload(document().replace("127.0.0.1:" + port(), "127.0.0.1:" + io.plantline.testkit.Ports.free()));
        assertThat(report.last().outcome()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(report.generation()).isEqualTo(1);
        assertThat(get(house.sessions()).get(0).state()).isEqualTo(SessionStatus.State.SUBSCRIBED);
    }

    @Test
    void anotherClientIdentifierIsAnotherSessionAndTheFormerOneEnds() throws Exception {
        ConfigurationReport report = reload(document().replace("\"reloader\"", "\"renamed\""));
        assertThat(report.last().outcome()).as("%s", report).isEqualTo(Outcome.APPLIED);
        assertThat(report.last().changes()).anyMatch(line -> line.contains("a new session as renamed"));
        assertThat(get(house.sessions()).get(0).state()).isEqualTo(SessionStatus.State.SUBSCRIBED);
    }

    @Test
    void aChangeDuringTheStopIsRefused() throws Exception {
        Future<Void> stopped = house.stop(Duration.ofSeconds(2));
        Configuration next =
                parser.parse(document().replace("5s", "7s"), Map.of()).configuration();
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> get(house.change(next))))
                .hasMessageContaining("stopping");
        get(stopped);
    }

    @Test
    void theDocumentThatRanIsKept() throws Exception {
        String next = document().replace("5s", "9s");
        reload(next);
        await().until(() -> DataDirectory.lastDocument(directory.resolve("data"))
                .filter(next::equals)
                .isPresent());
        reload("{");
        assertThat(DataDirectory.lastDocument(directory.resolve("data"))).contains(next);
    }

    @Test
    void aDocumentThatIsNoJsonIsRefused() throws Exception {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> parser.parse("{", Map.of())))
                .isInstanceOf(ConfigurationException.class);
        assertThat(reload("{").last().outcome()).isEqualTo(Outcome.REFUSED);
    }
}
