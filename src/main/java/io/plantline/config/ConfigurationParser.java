package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.model.Problem;
import io.plantline.model.TopicFilter;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.Settings;
import io.plantline.spi.TargetFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** JSON text and environment to a {@link Configuration}, or all that is wrong with them. */
public final class ConfigurationParser {
    private static final long DEFAULT_OUTBOX = 10L << 30;
    private static final long DEFAULT_DEAD_LETTERS = 256L << 20;

    private final Plugins plugins;
    private final SchemaProblems schema;
    private final int cores;

    /**
     * A parser.
     *
     * @param cores publisher verticles of a target are at most this many, unless the document says otherwise
     */
    public ConfigurationParser(Plugins plugins, int cores) {
        this.plugins = plugins;
        this.schema = new SchemaProblems(new ConfigSchema(plugins));
        this.cores = cores;
    }

    /** A valid configuration, and warnings. */
    public record Result(Configuration configuration, List<Problem> warnings) {}

    /**
     * Parses a document.
     *
     * @param environment variables that complete it, see {@link EnvironmentVariables}
     * @throws ConfigurationException with every problem there is
     */
    public Result parse(String text, Map<String, String> environment) {
        List<Problem> problems = new ArrayList<>();
        JsonDocument.Parsed document = JsonDocument.parse(text, problems);
        if (document.root().isMissingNode()) {
            throw new ConfigurationException(problems);
        }
        List<Problem> structure = schema.check(document.root());
        problems.addAll(structure);
        // Sections that fit the schema are read even if others do not, so that a user sees all problems at once.
        Configuration configuration = new Reading(document.root(), structure, environment, problems).read(text);
        List<Problem> located = problems.stream()
                .map(problem -> problem.line() > 0
                        ? problem
                        : problem.onLine(document.lines().of(problem.pointer())))
                .sorted(Comparator.comparing(Problem::severity).thenComparing(Problem::line))
                .toList();
        if (located.stream().anyMatch(Problem::isError)) {
            throw new ConfigurationException(located);
        }
        return new Result(configuration, located);
    }

    /**
     * A target that a log was made for.
     *
     * @param processors of the target, in order
     */
    public record Definition(TargetDefinition target, List<ProcessorDefinition> processors) {
        public Definition {
            processors = List.copyOf(processors);
        }
    }

    /**
     * Reads the {@linkplain TargetDefinition#source source} of a target again.
     *
     * @throws ConfigurationException if this program, or its plug-ins, cannot make that target any more
     */
    public Definition definition(String source, Map<String, String> environment) {
        List<Problem> problems = new ArrayList<>();
        JsonNode root = JsonDocument.parse(source, problems).root();
        if (root.isObject()) {
            schema.check(root).stream()
                    .filter(problem -> problem.pointer().matches("/(targets|processors)/.*"))
                    .forEach(problems::add);
        }
        if (problems.isEmpty()) {
            Reading reading = new Reading(root, List.of(), environment, problems);
            NavigableMap<String, ProcessorDefinition> processors = reading.processors();
            Optional<TargetDefinition> target =
                    reading.targets().values().stream().findFirst();
            if (target.isPresent() && problems.stream().noneMatch(Problem::isError)) {
                return new Definition(
                        target.get(),
                        target.get().processors().stream()
                                .map(processors::get)
                                .filter(Objects::nonNull)
                                .toList());
            }
        }
        throw new ConfigurationException(problems);
    }

    /** Reads one document into records. */
    private final class Reading {
        private final JsonNode root;
        private final List<Problem> structure;
        private final EnvironmentVariables environment;
        private final List<Problem> problems;

        Reading(JsonNode root, List<Problem> structure, Map<String, String> environment, List<Problem> problems) {
            this.root = root;
            this.structure = structure;
            this.environment = new EnvironmentVariables(environment, problems);
            this.problems = problems;
        }

        Configuration read(String text) {
            SortedMap<String, ProcessorDefinition> processors = processors();
            SortedMap<String, TargetDefinition> targets = targets();
            List<Subscription> subscriptions = new ArrayList<>();
            forEach(
                    "subscriptions",
                    (filter, section) -> subscription(filter, section).ifPresent(subscriptions::add));
            Configuration configuration = new Configuration(
                    broker(),
                    targets,
                    processors,
                    subscriptions,
                    data(),
                    cluster(),
                    Fingerprint.of(text + environment));
            new CrossChecks(root, configuration, problems).run();
            return configuration;
        }

        NavigableMap<String, ProcessorDefinition> processors() {
            NavigableMap<String, ProcessorDefinition> processors = new TreeMap<>();
            forEach("processors", (name, section) -> processors.put(name, processor(name, section)));
            return processors;
        }

        NavigableMap<String, TargetDefinition> targets() {
            NavigableMap<String, TargetDefinition> targets = new TreeMap<>();
            forEach("targets", (name, section) -> targets.put(name, target(name, section)));
            return targets;
        }

        private void forEach(String kind, java.util.function.BiConsumer<String, JsonSettings> reader) {
            JsonNode sections = root.path(kind);
            sections.properties().forEach(entry -> {
                String pointer = "/" + kind + "/" + JsonDocument.escape(entry.getKey());
                boolean fits =
                        structure.stream().noneMatch(problem -> (problem.pointer() + "/").startsWith(pointer + "/"));
                if (fits) {
                    reader.accept(entry.getKey(), new JsonSettings(entry.getValue(), pointer, plugins, problems));
                }
            });
        }

        /** The schema lets no other type pass. */
        private static <F> F named(Map<String, F> factories, String type) {
            return Optional.ofNullable(factories.get(type)).orElseThrow();
        }

        private Optional<Subscription> subscription(String filter, JsonSettings section) {
            String problem = TopicFilter.problemWith(filter);
            if (problem != null) {
                section.error("", "\"" + filter + "\" is not a topic filter", problem);
                return Optional.empty();
            }
            List<String> targets =
                    section.has("target") ? List.of(section.string("target")) : section.strings("targets");
            if (targets.isEmpty() || (section.has("target") && section.has("targets"))) {
                section.error("", "a subscription has either a target or targets", "write \"target\": \"name\"");
                return Optional.empty();
            }
            boolean spread = section.flag("spread", false);
            if (spread) {
                spreading(section);
            }
            return Optional.of(new Subscription(
                    TopicFilter.of(spread ? spread(filter) : shared(filter)),
                    section.integer("qos", 1),
                    targets,
                    spread));
        }

        /** The filter, for a share group if the document wants that for all; one that names a group keeps it. */
        private String shared(String filter) {
            JsonNode broker = root.path("mqtt-broker");
            String group = broker.path("share-group").asText();
            boolean shared = broker.path("subscription-mode").asText().equals("shared");
            return shared && !group.isEmpty() && !filter.startsWith("$share/")
                    ? "$share/" + group + "/" + filter
                    : filter;
        }

        /** The filter, for a share group of this process's own connections if there is no other. */
        private String spread(String filter) {
            String shared = shared(filter);
            JsonNode named = root.path("mqtt-broker").path("client-id");
            String group = (named.isTextual() ? named.asText() : environment.clientId()).replaceAll("[/+#]", "-");
            return shared.startsWith("$share/") ? shared : "$share/" + group + "/" + filter;
        }

        private void spreading(JsonSettings subscription) {
            if (root.path("mqtt-broker").path("connections").asInt(1) < 2) {
                subscription.warn(
                        "spread", "there is one connection", "set \"connections\" of mqtt-broker, or take spread out");
            } else {
                subscription.warn(
                        "spread",
                        "messages of one topic go to any of the connections, so their order is given up",
                        "leave it out where order matters; other filters have a connection each as they are");
            }
        }

        private void sharing(JsonSettings broker) {
            boolean shared = broker.string("subscription-mode", "exclusive").equals("shared");
            if (shared && !broker.has("share-group")) {
                broker.error(
                        "subscription-mode",
                        "shared subscriptions need a share-group",
                        "name who shares: all replicas, and nobody else at this broker");
            } else if (!shared && broker.has("share-group")) {
                broker.error(
                        "share-group",
                        "subscriptions are exclusive",
                        "write \"subscription-mode\": \"shared\", or take share-group out");
            } else if (shared) {
                broker.warn(
                        "subscription-mode",
                        "messages of one topic go to any of the replicas, so their order is given up",
                        "where order matters give each pod its part of the topic space (k8s/overlays/multi-pod)");
            }
        }

        private ProcessorDefinition processor(String name, JsonSettings section) {
            ProcessorFactory<?> factory = named(plugins.processors(), section.string("type"));
            ProcessorDefinition.OnFailure onFailure =
                    section.string("on-failure", "dead-letter").equals("pass-through")
                            ? ProcessorDefinition.OnFailure.PASS_THROUGH
                            : ProcessorDefinition.OnFailure.DEAD_LETTER;
            Object config = factory.configure(section);
            return new ProcessorDefinition(
                    name,
                    factory,
                    config,
                    section.integer("max-attempts", 20),
                    onFailure,
                    section.integer("instances", 1),
                    section.material(),
                    Fingerprint.of(JsonDocument.sorted(root.path("processors").path(name))
                            .toString()));
        }

        private TargetDefinition target(String name, JsonSettings section) {
            TargetFactory<?> factory = named(plugins.targets(), section.string("type"));
            int lanes = section.integer("lanes", factory.defaultLanes());
            Optional<Settings> batch = section.section("batch");
            boolean memoryMode =
                    !root.has("data-directory") && environment.dataDirectory().isEmpty();
            if (memoryMode && section.has("outbox")) {
                section.warn(
                        "outbox",
                        "bounds what waits on disk, and there is no data directory",
                        "set \"data-directory\" or " + EnvironmentVariables.DATA_DIRECTORY);
            }
            if (memoryMode && batch.filter(limits -> limits.has("max-age")).isPresent()) {
                section.warn(
                        "batch",
                        "what waits for max-age is not acknowledged meanwhile, in memory mode",
                        "let the broker have more in flight (Mosquitto: max_inflight_messages) than comes in that time");
            }
            Object config = factory.configure(section);
            return new TargetDefinition(
                    name,
                    factory,
                    config,
                    format(factory, section),
                    section.strings("processors"),
                    section.optionalString("dead-letter-target"),
                    batch.map(limits -> limits.integer("max-records", 10_000)).orElse(10_000),
                    batch.map(limits -> limits.size("max-bytes", 16 << 20)).orElse(16L << 20),
                    batch.map(limits -> limits.duration("max-age", Duration.ZERO))
                            .orElse(Duration.ZERO),
                    lanes,
                    section.integer("instances", Math.min(lanes, cores)),
                    section.duration("retry-min", Duration.ofMillis(100)),
                    section.duration("retry-max", Duration.ofSeconds(30)),
                    limits(section),
                    namesByPlan(factory, config),
                    section.material(),
                    Fingerprint.of(root.path("targets").path(name), factory.identity()),
                    source(name, section.strings("processors")));
        }

        /** The part of the document that makes a target. */
        private String source(String name, List<String> processors) {
            ObjectNode part = JsonNodeFactory.instance.objectNode();
            part.putObject("targets").set(name, root.path("targets").path(name));
            ObjectNode steps = part.putObject("processors");
            processors.forEach(step -> steps.set(step, root.path("processors").path(step)));
            return JsonDocument.sorted(part).toString();
        }

        private static TargetDefinition.Limits limits(JsonSettings section) {
            Optional<Settings> outbox = section.section("outbox");
            return new TargetDefinition.Limits(
                    outbox.map(limits -> limits.size("max-bytes", DEFAULT_OUTBOX))
                            .orElse(DEFAULT_OUTBOX),
                    switch (outbox.map(limits -> limits.string("on-full", "block"))
                            .orElse("block")) {
                        case "drop-newest" -> TargetDefinition.OnFull.DROP_NEWEST;
                        case "drop-oldest" -> TargetDefinition.OnFull.DROP_OLDEST;
                        default -> TargetDefinition.OnFull.BLOCK;
                    },
                    outbox.map(limits -> limits.duration("max-age", Duration.ZERO))
                            .orElse(Duration.ZERO),
                    outbox.map(limits -> limits.size("dead-letter-bytes", DEFAULT_DEAD_LETTERS))
                            .orElse(DEFAULT_DEAD_LETTERS),
                    section.size("max-bytes-per-second", 0));
        }

        @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
        private static <C> boolean namesByPlan(TargetFactory<C> factory, Object config) {
            return factory.namesByPlan((C) config);
        }

        private Optional<TargetDefinition.Format> format(TargetFactory<?> factory, JsonSettings section) {
            String name = section.optionalString("format").orElse(factory.defaultFormat());
            PayloadFormatFactory<?> format =
                    name == null ? null : plugins.formats().get(name);
            if (format == null) {
                return Optional.empty();
            }
            Settings options = section.section("format-options")
                    .orElseGet(() -> new JsonSettings(
                            JsonNodeFactory.instance.objectNode(),
                            section.pointer() + "/format-options",
                            plugins,
                            problems));
            return Optional.of(new TargetDefinition.Format(format, format.configure(options)));
        }

        /** Where messages are kept on disk, if they are. */
        private Optional<Configuration.Data> data() {
            boolean fits =
                    structure.stream().noneMatch(problem -> problem.pointer().startsWith("/data-"));
            JsonSettings top = new JsonSettings(
                    fits ? root : JsonDocument.parse("{}", new ArrayList<>()).root(), "", plugins, problems);
            return environment
                    .dataDirectory()
                    .or(() -> top.optionalString("data-directory"))
                    .map(folder -> new Configuration.Data(folder, top.size("data-min-free", 512L << 20)));
        }

        private Optional<ClusterConfig> cluster() {
            if (structure.stream().anyMatch(problem -> problem.pointer().startsWith("/cluster"))) {
                return Optional.empty();
            }
            Set<ClusterConfig.Role> roles = environment.roles();
            if (!root.has("cluster") && !roles.equals(ClusterConfig.Role.ALL)) {
                problems.add(Problem.error(
                        "",
                        EnvironmentVariables.ROLES
                                + " says that other nodes do a part of the work, and there is no cluster",
                        "add a cluster section, or take " + EnvironmentVariables.ROLES + " out"));
            }
            JsonSettings top = new JsonSettings(root, "", plugins, problems);
            return top.section("cluster").map(section -> {
                int port = section.integer("port", 7800);
                return new ClusterConfig(
                        section.string("name", "plantline"),
                        section.strings("members").stream()
                                .map(member -> environment.address("/cluster/members", member, port))
                                .toList(),
                        environment.clusterHost(),
                        port,
                        section.integer("bus-port", 7801),
                        section.tls("tls"),
                        roles);
            });
        }

        private BrokerConfig broker() {
            boolean fits =
                    structure.stream().noneMatch(problem -> problem.pointer().startsWith("/mqtt-broker"));
            JsonNode node = fits
                    ? root.path("mqtt-broker")
                    : JsonDocument.parse("{}", new ArrayList<>()).root();
            JsonSettings section = new JsonSettings(node, "/mqtt-broker", plugins, problems);
            JsonSettings top = new JsonSettings(fits ? root : node, "", plugins, problems);
            sharing(section);
            boolean tls = section.tls("tls").isPresent();
            List<BrokerAddress> addresses = new ArrayList<>(environment.brokerAddresses(tls ? 8883 : 1883));
            if (addresses.isEmpty()) {
                section.strings("addresses")
                        .forEach(address -> addresses.add(
                                environment.address("/mqtt-broker/addresses", address, tls ? 8883 : 1883)));
            }
            if (addresses.isEmpty() && fits) {
                section.error(
                        "addresses",
                        "there is no broker to subscribe at",
                        "write \"addresses\": [\"host:1883\"], or set " + EnvironmentVariables.HOST);
            }
            Duration keepAlive = section.duration("keep-alive", Duration.ofSeconds(15));
            if (keepAlive.toSeconds() > 65_535) {
                section.error("keep-alive", "MQTT has room for 65,535 seconds", "15s is usual");
            }
            int version = switch (section.string("protocol-version", "")) {
                case "5" -> 5;
                case "3.1.1" -> 4;
                default -> 0;
            };
            return new BrokerConfig(
                    addresses,
                    section.integer("connections", 1),
                    version,
                    section.optionalString("client-id")
                            .orElseGet(() -> fits ? environment.defaultClientId() : "invalid"),
                    top.credential("mqtt-broker-credential"),
                    keepAlive,
                    section.duration("connect-timeout", Duration.ofSeconds(10)),
                    section.duration("session-expiry", Duration.ofDays(7)),
                    section.duration("reconnect-min", Duration.ofMillis(100)),
                    section.duration("reconnect-max", Duration.ofSeconds(30)),
                    section.integer("receive-maximum", 65_535),
                    (int) Math.min(268_435_455, section.size("max-packet-size", 16 << 20)),
                    section.size("max-unacknowledged", 64 << 20),
                    section.tls("tls"),
                    section.proxy("proxy"),
                    section.section("will")
                            .map(will -> new BrokerConfig.Will(
                                    will.string("topic"),
                                    will.string("payload", ""),
                                    will.integer("qos", 1),
                                    will.flag("retain", false))),
                    new Material(section.material().files(), top.material().credentials()));
        }
    }
}
