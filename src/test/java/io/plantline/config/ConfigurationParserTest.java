package io.plantline.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.plantline.model.Problem;
import io.plantline.runtime.PluginCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigurationParserTest {
    private final ConfigurationParser parser = new ConfigurationParser(PluginCatalog.load(Path.of("no-plugins")), 2);

    private List<String> problems(String text, Map<String, String> environment) {
        ConfigurationException e =
                catchThrowableOfType(ConfigurationException.class, () -> parser.parse(text, environment));
        return e == null
                ? List.of()
                : e.problems().stream()
                        .filter(Problem::isError)
                        .map(Problem::toString)
                        .toList();
    }

    private static String with(String broker, String target, String more) {
        return "{\"mqtt-broker\": {\"addresses\": [\"b:1883\"], \"client-id\": \"x\"" + broker + "},\n"
                + "\"targets\": {\"t\": " + target + "}, \"subscriptions\": {\"a/#\": {\"target\": \"t\"}}" + more
                + "}";
    }

    private static final String FILE = "{\"type\": \"file\", \"directory\": \"d\"}";

    static Stream<Path> shippedConfigurations() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("conf"))) {
            return files
                    .filter(file -> file.toString().endsWith(".json")
                            && !file.toString().contains("schema"))
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("shippedConfigurations")
    void everyShippedConfigurationIsValid(Path file) throws IOException {
        String text = Files.readString(file)
                .replace("${PLANT_PORT}", "1")
                .replace("${OTHER_PORT}", "2")
                .replace("${MODEL_URL}", "http://model")
                .replace("${LAKE}", "lake");
        assertThat(problems(text, Map.of("EDGE_BROKER_HOST", "broker"))).isEmpty();
    }

    @Test
    void replicasShareSubscriptions() {
        Map<String, String> environment = Map.of("EDGE_BROKER_HOST", "b");
        String shared = ", \"subscription-mode\": \"shared\"";
        ConfigurationParser.Result parsed =
                parser.parse(with(shared + ", \"share-group\": \"g\"", FILE, ""), environment);
        assertThat(parsed.configuration().subscriptions())
                .allSatisfy(
                        subscription -> assertThat(subscription.filter().text()).startsWith("$share/g/"));
        assertThat(parsed.warnings())
                .anySatisfy(warning -> assertThat(warning.toString()).contains("order is given up"));
        assertThat(problems(with(shared, FILE, ""), environment))
                .singleElement()
                .asString()
                .contains("share-group");
    }

    @Test
    void subscriptionsThatBecomeTheSameFilterAreRefused() {
        String shared = ", \"subscription-mode\": \"shared\", \"share-group\": \"g\"";
        String document =
                with(shared, FILE, "").replace("{\"a/#\":", "{\"$share/g/a/#\": {\"target\": \"t\"}, \"a/#\":");
        assertThat(problems(document, Map.of()))
                .singleElement()
                .asString()
                .contains("/subscriptions/a~1#", "the same filter as \"$share/g/a/#\"");
    }

    @Test
    void aSharedSubscriptionIsNamedAsItIsWritten() {
        String shared = ", \"subscription-mode\": \"shared\", \"share-group\": \"g\"";
        assertThat(problems(with(shared, FILE, "").replace("{\"target\": \"t\"}", "{\"target\": \"u\"}"), Map.of()))
                .singleElement()
                .asString()
                .contains("/subscriptions/a~1#/target");
    }

    @Test
    void theEnvironmentOfTheReferenceManifestCompletesTheDocument() {
        Configuration configuration = parser.parse(
                        with("", FILE, ""), Map.of("EDGE_BROKER_HOST", "one,two:99,[::1]:98", "EDGE_MQTT_PORT", "1884"))
                .configuration();
        assertThat(configuration.broker().addresses().toString()).isEqualTo("[one:1884, two:99, [::1]:98]");
    }

    @Test
    void theWindowIsSmallWhereMessagesAreAcknowledgedAtOnce() {
        Map<String, String> durable = Map.of("EDGE_DATA_DIR", "/data");
        assertThat(window("", Map.of())).isEqualTo(65_535);
        assertThat(window("", durable)).isEqualTo(1_000);
        assertThat(window(", \"receive-maximum\": 7", durable)).isEqualTo(7);
    }

    private int window(String broker, Map<String, String> environment) {
        return parser.parse(with(broker, FILE, ""), environment)
                .configuration()
                .broker()
                .receiveMaximum();
    }

    @Test
    void theDataDirectoryComesFromTheDocumentOrTheEnvironment() {
        String document = with("", FILE, ", \"data-directory\": \"/one\", \"data-min-free\": \"1MiB\"");
        assertThat(parser.parse(document, Map.of()).configuration().data())
                .contains(new Configuration.Data("/one", 1 << 20));
        assertThat(parser.parse(document, Map.of("EDGE_DATA_DIR", "/two"))
                        .configuration()
                        .data())
                .contains(new Configuration.Data("/two", 1 << 20));
        assertThat(problems(with("", FILE, ", \"data-directory\": \"/one\", \"data-min-free\": \"much\""), Map.of()))
                .singleElement()
                .asString()
                .contains("/data-min-free");
    }

    @Test
    void aNodeOfAClusterDoesWhatItsEnvironmentSays() {
        String document = with("", FILE, ", \"cluster\": {\"members\": [\"one\", \"two:9\"]}");
        ClusterConfig all = parser.parse(document, Map.of("EDGE_CLUSTER_HOST", "me"))
                .configuration()
                .cluster()
                .orElseThrow();
        assertThat(all.members()).hasToString("[one:7800, two:9]");
        assertThat(all.host()).isEqualTo("me");
        assertThat(all.roles()).containsExactlyInAnyOrder(ClusterConfig.Role.values());
        Configuration worker = parser.parse(document, Map.of("EDGE_ROLES", "processor, publisher"))
                .configuration();
        assertThat(worker.roles())
                .containsExactlyInAnyOrder(ClusterConfig.Role.PROCESSOR, ClusterConfig.Role.PUBLISHER);
        String once = document.replace(
                FILE,
                "{\"type\": \"kafka\", \"bootstrap-servers\": [\"kafka\"], \"topic\": \"t\", \"transactions\": true}");
        assertThat(problems(once, Map.of())).anyMatch(problem -> problem.contains("only with messages kept on disk"));
        assertThat(problems(once, Map.of("EDGE_ROLES", "publisher")))
                .as("a worker keeps none")
                .isEmpty();
        assertThat(problems(document, Map.of("EDGE_ROLES", "dispatcher,printer")))
                .singleElement()
                .asString()
                .contains("\"printer\", not a role");
        assertThat(problems(with("", FILE, ""), Map.of("EDGE_ROLES", "dispatcher")))
                .singleElement()
                .asString()
                .contains("there is no cluster");
        assertThat(parser.parse(document, Map.of()).warnings())
                .as("the bus is in plaintext")
                .anyMatch(problem -> problem.pointer().equals("/cluster/members"));
        String strict = document.replaceFirst("\\{", "{\"security\": \"strict\", ");
        assertThat(problems(strict, Map.of())).anyMatch(problem -> problem.contains("/cluster/members"));
        String half = with("", FILE, ", \"cluster\": {\"members\": [\"one\"], \"tls\": {\"ca\": \"ca.crt\"}}");
        assertThat(problems(half, Map.of())).anyMatch(problem -> problem.contains("/cluster/tls"));
    }

    @Test
    void whatConnectionsMayHoldFitsIntoTheHeapWhateverTheirNumber() {
        for (int connections : new int[] {1, 2, 16}) {
            long each = parser.parse(with(", \"connections\": " + connections, FILE, ""), Map.of())
                    .configuration()
                    .broker()
                    .maxUnacknowledged();
            assertThat(each).isPositive().isLessThanOrEqualTo(64 << 20);
            assertThat(each * connections)
                    .isLessThanOrEqualTo(Runtime.getRuntime().maxMemory() / 4);
        }
    }

    @Test
    void aHotFilterMayBeSpreadAndGivesItsOrderUp() {
        String document = """
                {"mqtt-broker": {"addresses": ["b"], "client-id": "me/1", "connections": 3},
                 "targets": {"t": %s},
                 "subscriptions": {"hot/#": {"target": "t", "spread": true}, "cold": {"target": "t"}, "hot/1": {"target": "t"}}}""".formatted(FILE);
        ConfigurationParser.Result result = parser.parse(document, Map.of());
        assertThat(result.configuration().broker().connections()).isEqualTo(3);
        assertThat(result.configuration().subscriptions())
                .filteredOn(Subscription::spread)
                .singleElement()
                .satisfies(hot -> assertThat(hot.filter().text()).isEqualTo("$share/me-1/hot/#"));
        assertThat(result.warnings().toString()).contains("order is given up").contains("such a message twice");
        assertThat(parser.parse(document.replace("3}", "1}"), Map.of())
                        .warnings()
                        .toString())
                .contains("there is one connection");
        assertThat(problems(document.replace("3}", "33}"), Map.of()))
                .anyMatch(problem -> problem.contains("/mqtt-broker/connections"));
    }

    @Test
    void aClusterChangesWithARestart() {
        Configuration alone = parser.parse(with("", FILE, ""), Map.of()).configuration();
        Configuration together = parser.parse(with("", FILE, ", \"cluster\": {\"members\": [\"one\"]}"), Map.of())
                .configuration();
        assertThat(Difference.between(alone, together).problems())
                .singleElement()
                .asString()
                .contains("/cluster");
        assertThat(Difference.between(together, together).problems()).isEmpty();
    }

    @Test
    void boundsOfAnOutboxWithoutADataDirectoryAreWarnedOf() {
        String bounded = FILE.replace("}", ", \"outbox\": {\"max-bytes\": \"1GiB\"}}");
        assertThat(parser.parse(with("", bounded, ""), Map.of()).warnings())
                .anyMatch(problem -> problem.pointer().equals("/targets/t/outbox"));
        assertThat(parser.parse(with("", bounded, ""), Map.of("EDGE_DATA_DIR", "d"))
                        .warnings())
                .noneMatch(problem -> problem.pointer().equals("/targets/t/outbox"));
    }

    @Test
    void aSubscriptionHasEitherATargetOrTargets() {
        String both = with("", FILE, "").replace("{\"target\": \"t\"}", "{\"target\": \"t\", \"targets\": [\"t\"]}");
        String neither = with("", FILE, "").replace("{\"target\": \"t\"}", "{\"qos\": 1}");
        String unknown = with("", FILE, "").replace("{\"target\": \"t\"}", "{\"targets\": [\"t\", \"u\"]}");
        assertThat(problems(both, Map.of()))
                .anyMatch(problem -> problem.toString().contains("either a target or targets"));
        assertThat(problems(neither, Map.of()))
                .anyMatch(problem -> problem.toString().contains("either a target or targets"));
        assertThat(problems(unknown, Map.of()))
                .anyMatch(problem -> problem.toString().contains("/subscriptions/a~1#/targets/1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "EDGE_MQTT_PORT=x | EDGE_MQTT_PORT is \"x\", not a port",
                "EDGE_MQTT_PORT=70000 | EDGE_MQTT_PORT is \"70000\", not a port",
                "EDGE_BROKER_HOST=tcp://b | \"tcp://b\" is no address",
                "EDGE_BROKER_HOST=b: | \"b:\" is no address",
                "EDGE_BROKER_HOST=h:99999 | \"h:99999\" is no address",
                "HTTPS_PROXY=https://p:3128 | HTTPS_PROXY is no address of a proxy",
                "PLANTLINE_LOG=JSON | PLANTLINE_LOG is \"JSON\"",
                "PLANTLINE_LOG_LEVEL=loud | PLANTLINE_LOG_LEVEL is \"loud\"",
            })
    void oddVariablesAreReported(String variable, String message) {
        String[] parts = variable.split("=", 2);
        Map<String, String> environment = new java.util.HashMap<>(Map.of("EDGE_BROKER_HOST", "b"));
        environment.put(parts[0], parts[1]);
        assertThat(problems(with("", FILE, ""), environment))
                .singleElement()
                .asString()
                .contains(message);
    }

    @Test
    void duplicateKeysAreErrorsWithTheirLine() {
        assertThat(problems("{\"targets\": {},\n\"targets\": {}}", Map.of()))
                .anyMatch(problem -> problem.contains("/targets (line 2): the key \"targets\" stands here twice"));
    }

    @Test
    void brokenJsonIsOneProblemWithItsLine() {
        assertThat(problems("{\n\"targets\": {,}}", Map.of()))
                .singleElement()
                .asString()
                .contains("(line 2): not JSON");
        assertThat(problems("", Map.of())).singleElement().asString().contains("the document is empty");
        assertThat(problems("[".repeat(10_000), Map.of()))
                .singleElement()
                .asString()
                .contains("not JSON");
    }

    @Test
    void aTargetThatWouldFeedUsIsRefused() {
        String own = "{\"type\": \"mqtt\", \"mqtt-broker-host\": \"b\"";
        assertThat(problems(with("", own + "}", ""), Map.of()))
                .singleElement()
                .asString()
                .contains("/targets/t/topic")
                .contains("set \"topic\"");
        assertThat(problems(with("", own + ", \"topic\": \"copy/{topic}\"}", ""), Map.of()))
                .isEmpty();
        assertThat(problems(with("", own + ", \"mqtt-broker-port\": 1884}", ""), Map.of()))
                .isEmpty();
    }

    @Test
    void deadLettersMustEndSomewhere() {
        String targets = "{\"mqtt-broker\": {\"addresses\": [\"b:1\"], \"client-id\": \"x\"}, \"targets\": {"
                + "\"t\": {\"type\": \"file\", \"directory\": \"d\", \"dead-letter-target\": \"u\"},"
                + "\"u\": {\"type\": \"file\", \"directory\": \"e\", \"dead-letter-target\": \"t\"}},"
                + "\"subscriptions\": {\"a\": {\"target\": \"t\"}}}";
        assertThat(problems(targets, Map.of())).hasSize(2).allMatch(problem -> problem.contains("would come back"));
    }

    @Test
    void aStrictPlantRefusesPlaintextAndLoopback() {
        String mqtt = "{\"type\": \"mqtt\", \"mqtt-broker-host\": \"127.0.0.1\"}";
        String strict = ", \"security\": \"strict\"";
        assertThat(problems(with(", \"tls\": {}", mqtt, strict), Map.of()))
                .hasSize(2)
                .anyMatch(problem -> problem.contains("not encrypted"))
                .anyMatch(problem -> problem.contains("loopback"));
        assertThat(problems(
                        with(", \"tls\": {}", mqtt, strict + ", \"allowed-endpoints\": [\"127.0.0.1:1883\"]"),
                        Map.of()))
                .isEmpty();
        assertThat(problems(with("", mqtt, ""), Map.of())).isEmpty();
    }

    @Test
    void aStrictPlantRefusesAnEndpointOfTheEnvironmentToo() {
        String s3 = "{\"type\": \"s3\", \"s3-bucket\": \"lake\", \"region\": \"us-east-1\"}";
        System.setProperty("aws.endpointUrlS3", "http://127.0.0.1:9000");
        try {
            assertThat(problems(with(", \"tls\": {}", s3, ", \"security\": \"strict\""), Map.of()))
                    .hasSize(2)
                    .allMatch(problem -> problem.contains("/targets/t"));
        } finally {
            System.clearProperty("aws.endpointUrlS3");
        }
    }

    @Test
    void aValueThatMayBeASecretIsNotShown() {
        assertThat(problems(with("", FILE, ", \"mqtt-broker-credential\": \"user:s3cret\""), Map.of()))
                .isNotEmpty()
                .noneMatch(problem -> problem.contains("s3cret"));
        String processor = ", \"processors\": {\"p\": {\"type\": \"remote\", \"base-url\": \"http://u:s3 cret@h\","
                + " \"processor-id\": \"m\"}}";
        assertThat(problems(with("", FILE, processor), Map.of()))
                .isNotEmpty()
                .noneMatch(problem -> problem.contains("s3 cret"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"keep-alive\": \"0s\"", "\"keep-alive\": \"20h\"", "\"max-unacknowledged\": \"0B\"",
                "\"max-packet-size\": \"9999999GiB\"", "\"receive-maximum\": 70000", "\"addresses\": [\"h{x\"]",
                "\"protocol-version\": \"4\"", "\"session-expiry\": \"99999d\"",
            })
    void valuesOutOfRangeAreErrors(String entry) {
        String text = "{\"mqtt-broker\": {" + (entry.contains("addresses") ? "" : "\"addresses\": [\"b:1\"], ")
                + "\"client-id\": \"x\", " + entry + "}, \"targets\": {\"t\": " + FILE + "},"
                + "\"subscriptions\": {\"a/#\": {\"target\": \"t\"}}}";
        assertThat(problems(text, Map.of())).isNotEmpty();
    }

    @Test
    void identityMakesTheFingerprintAndNothingElse() {
        String base = "{\"type\": \"s3\", \"s3-bucket\": \"bucket\"";
        String fingerprint = fingerprint(base + "}");
        assertThat(fingerprint(base + ", \"timeout\": \"5s\", \"max-concurrency\": 3}"))
                .isEqualTo(fingerprint);
        assertThat(fingerprint("{\"s3-bucket\": \"bucket\", \"type\": \"s3\"}")).isEqualTo(fingerprint);
        assertThat(fingerprint(base + ", \"key-prefix\": \"p\"}")).isNotEqualTo(fingerprint);
        assertThat(fingerprint(base + ", \"format\": \"json\"}")).isNotEqualTo(fingerprint);
    }

    private String fingerprint(String target) {
        TargetDefinition definition = parser.parse(with("", target, ""), Map.of())
                .configuration()
                .targets()
                .get("t");
        return definition == null ? "" : definition.fingerprint();
    }
}
