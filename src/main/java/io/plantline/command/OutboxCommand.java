package io.plantline.command;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Plugins;
import io.plantline.observe.LogCheck;
import io.plantline.observe.OutboxReport;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.House;
import io.plantline.runtime.PluginCatalog;
import io.vertx.core.Vertx;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Looks into what waits on disk, checks it, delivers it, or sends it elsewhere. */
@Command(
        name = "outbox",
        description = "What waits on disk: look into it, check it, deliver it, send it elsewhere.",
        mixinStandardHelpOptions = true,
        subcommands = {
            OutboxCommand.Inspect.class,
            OutboxCommand.Verify.class,
            OutboxCommand.Drain.class,
            OutboxCommand.Retarget.class,
            OutboxCommand.Purge.class
        })
final class OutboxCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @ParentCommand
    private @Nullable PlantlineCommand parent;

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getErr());
        }
        return PlantlineCommand.USAGE;
    }

    /** {@code outbox inspect}. */
    @Command(name = "inspect", description = "What waits, per target.", mixinStandardHelpOptions = true)
    static final class Inspect implements Callable<Integer> {
        @Mixin
        private final DataOption data = new DataOption();

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            PrintWriter out = Output.of(spec);
            out.printf(
                    "%-24s %-14s %5s %12s %14s %-27s %12s %s%n",
                    "target", "fingerprint", "lanes", "waiting", "bytes", "oldest", "dead letters", "held");
            for (OutboxReport report : data.ask(operations -> operations.outboxes())) {
                out.printf(
                        "%-24s %-14s %5d %12d %14d %-27s %12d %s%n",
                        report.target(),
                        report.fingerprint(),
                        report.lanes(),
                        report.totals().waiting(),
                        report.bytes(),
                        Output.time(report.oldestMicros()),
                        report.deadLetters(),
                        report.heldBecause() == null ? "-" : report.heldBecause());
            }
            out.flush();
            return PlantlineCommand.OK;
        }
    }

    /** {@code outbox verify}. */
    @Command(
            name = "verify",
            description = "Read every byte of a directory that no program uses; exit code 1 if some are damaged.",
            mixinStandardHelpOptions = true)
    static final class Verify implements Callable<Integer> {
        @Mixin
        private final DataOption data = new DataOption();

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            Map<String, LogCheck> checks = data.askIdle(directory -> directory.verify());
            boolean whole = true;
            for (Map.Entry<String, LogCheck> check : checks.entrySet()) {
                LogCheck found = check.getValue();
                whole &= found.damage().isEmpty();
                Output.of(spec)
                        .println(check.getKey() + ": " + found.segments() + " segments, " + found.groups() + " groups, "
                                + (found.damage().isEmpty()
                                        ? "all as written"
                                        : "DAMAGED: " + String.join("; ", found.damage())));
            }
            return whole ? PlantlineCommand.OK : PlantlineCommand.DAMAGED;
        }
    }

    /** Whose messages, and which. */
    private static final class Waiting {
        @Mixin
        private final DataOption data = new DataOption();

        @Parameters(
                paramLabel = "TARGET",
                description = "A target, or a former definition of one, as outbox inspect names them.")
        private String target = "";

        @Option(
                names = "--tried",
                description =
                        "Also what was tried and waits to be tried again; what of it was delivered already comes again.")
        private boolean tried;

        long move(@Nullable String to) throws Exception {
            return data.ask(operations -> operations.moveWaiting(target, to, tried));
        }
    }

    /** {@code outbox retarget}. */
    @Command(
            name = "retarget",
            description = "Hand what waits for a target to another one.",
            mixinStandardHelpOptions = true)
    static final class Retarget implements Callable<Integer> {
        @Mixin
        private final Waiting waiting = new Waiting();

        @Option(names = "--to", paramLabel = "TARGET", required = true, description = "Who takes it.")
        private String to = "";

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            long count = waiting.move(to);
            Output.of(spec).println(count + " messages of " + waiting.target + " are with " + to + " now");
            return PlantlineCommand.OK;
        }
    }

    /** {@code outbox purge}. */
    @Command(
            name = "purge",
            description = "Forget what waits for a target, for ever; the ledger counts it as purged.",
            mixinStandardHelpOptions = true)
    static final class Purge implements Callable<Integer> {
        @Mixin
        private final Waiting waiting = new Waiting();

        @Option(names = "--yes", description = "That this is meant; without it nothing is done.")
        private boolean yes;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            if (!yes) {
                throw new CommandLine.ParameterException(
                        spec == null ? new CommandLine(this) : spec.commandLine(),
                        "what waits for " + waiting.target + " would be gone for ever; say --yes if that is meant");
            }
            long count = waiting.move(null);
            Output.of(spec).println(count + " messages of " + waiting.target + " are gone");
            return PlantlineCommand.OK;
        }
    }

    /** {@code outbox drain}. */
    @Command(
            name = "drain",
            description = "Deliver what waits, without receiving anything, and end.",
            mixinStandardHelpOptions = true)
    static final class Drain implements Callable<Integer> {
        private static final Duration STOP = Duration.ofSeconds(10);

        @ParentCommand
        private @Nullable OutboxCommand parent;

        @Option(
                names = {"-c", "--config"},
                paramLabel = "FILE",
                description = "The configuration. Default: the variable EDGE_SUBSCRIPTION_CONFIG.")
        private @Nullable Path file;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "3600",
                description = "Give up after so many seconds (default: ${DEFAULT-VALUE}); exit code 75.")
        private long timeout = 3600;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            PlantlineCommand root = PlantlineCommand.orDefault(parent == null ? null : parent.parent);
            Plugins plugins = PluginCatalog.load(root.plugins);
            ConfigurationParser parser =
                    new ConfigurationParser(plugins, Runtime.getRuntime().availableProcessors());
            Configuration configuration =
                    parser.parse(DocumentSource.read(file), System.getenv()).configuration();
            if (configuration.data().isEmpty()) {
                throw new CommandLine.ParameterException(
                        spec == null ? new CommandLine(this) : spec.commandLine(),
                        "without a data-directory nothing waits");
            }
            Vertx vertx = Engine.start(1);
            try (DataDirectory data =
                    DataDirectory.open(Path.of(configuration.data().get().directory()))) {
                House house = new House(vertx, plugins, source -> parser.definition(source, System.getenv()), data);
                house.startWithoutSession(configuration)
                        .compose(v -> house.empty())
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get(timeout, TimeUnit.SECONDS);
                stop(house);
                return PlantlineCommand.OK;
            } catch (TimeoutException e) {
                return PlantlineCommand.TRY_AGAIN;
            } finally {
                vertx.close().toCompletionStage().toCompletableFuture().get(STOP.toSeconds(), TimeUnit.SECONDS);
            }
        }

        private void stop(House house) throws Exception {
            house.stop(STOP).toCompletionStage().toCompletableFuture().get(STOP.toSeconds() * 2, TimeUnit.SECONDS);
            house.ledgers().forEach(ledger -> Output.of(spec).println(ledger));
        }
    }
}
