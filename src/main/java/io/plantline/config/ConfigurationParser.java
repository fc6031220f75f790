package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.model.Problem;
import io.plantline.model.TopicFilter;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.Settings;
import io.plantline.spi.TargetFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
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
        private final BrokerSection broker;
        /** What is asked of the broker, and the subscription that says so. */
        private final Map<String, String> filters = new HashMap<>();

        Reading(JsonNode root, List<Problem> structure, Map<String, String> environment, List<Problem> problems) {
            this.root = root;
            this.structure = structure;
            this.environment = new EnvironmentVariables(environment, problems);
            this.problems = problems;
            this.broker = new BrokerSection(root, structure, this.environment, plugins, problems);
        }

        Configuration read(String text) {
            environment.check();
            SortedMap<String, ProcessorDefinition> processors = processors();
            SortedMap<String, TargetDefinition> targets = targets();
            List<Subscription> subscriptions = new ArrayList<>();
            forEach(
                    "subscriptions",
                    (filter, section) -> subscription(filter, section).ifPresent(subscriptions::add));
            Configuration configuration = new Configuration(
                    broker.read(),
                    targets,
                    processors,
                    subscriptions,
                    data(),
                    ClusterSection.read(root, structure, environment, plugins, problems),
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
                broker.warnOfSpreading(section);
            }
            String asked = spread ? broker.spread(filter) : broker.shared(filter);
            String other = filters.putIfAbsent(asked, filter);
            if (other != null) {
                section.error(
                        "",
                        "becomes the same filter as \"" + other + "\", and a broker has one subscription of each",
                        "keep one of them, with all targets");
                return Optional.empty();
            }
            return Optional.of(new Subscription(TopicFilter.of(asked), section.integer("qos", 1), targets, spread));
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
            boolean memoryMode = !broker.isDurable();
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
    }
}
