package io.plantline.command;

import io.plantline.admin.AdminServer;
import io.plantline.admin.ProbeServer;
import io.plantline.config.ClusterConfig;
import io.plantline.config.ClusterConfig.Role;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationException;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.EnvironmentVariables;
import io.plantline.config.MutualTls;
import io.plantline.config.Plugins;
import io.plantline.config.StatefulSetReplica;
import io.plantline.model.FailureException;
import io.plantline.model.Problem;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.House;
import io.plantline.runtime.PluginCatalog;
import io.plantline.runtime.reload.Reloader;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Runs a configuration until a signal ends it. */
@Command(
        name = "run",
        description = "Run a configuration, from a file or from the environment.",
        mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(RunCommand.class);
    private static final Duration DRAIN = Duration.ofSeconds(10);
    private static final Duration STOP = Duration.ofSeconds(16);
    private static final Duration CLOSE = Duration.ofSeconds(3);
    private static final long LEAVE_SECONDS = 600;

    @ParentCommand
    private @Nullable PlantlineCommand parent;

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "The configuration. Default: the variable EDGE_SUBSCRIPTION_CONFIG.")
    private @Nullable Path file;

    @Option(
            names = "--http",
            paramLabel = "[ADDRESS:]PORT",
            description = "Answer probes and scrapes here. Default: the variable EDGE_HTTP; without it nowhere.")
    private @Nullable String http = System.getenv("EDGE_HTTP");

    @Option(
            names = "--admin",
            paramLabel = "[ADDRESS:]PORT",
            description =
                    "Take commands here by mutual TLS, too. Default: the variable EDGE_ADMIN; without it nowhere.")
    private @Nullable String admin = System.getenv("EDGE_ADMIN");

    @Option(
            names = "--admin-tls",
            paramLabel = "FOLDER",
            description = "With ca.crt, tls.crt and tls.key for --admin. Default: the variable EDGE_ADMIN_TLS.")
    private @Nullable Path adminTls = path(System.getenv("EDGE_ADMIN_TLS"));

    @Option(
            names = "--ready-needs-targets",
            description =
                    "Not ready while somebody must act on a target. Default: the variable EDGE_READY_NEEDS_TARGETS.")
    private boolean readyNeedsTargets = Boolean.parseBoolean(System.getenv("EDGE_READY_NEEDS_TARGETS"));

    private final DataDirectory.Opener directories;

    private static @Nullable Path path(@Nullable String text) {
        return text == null ? null : Path.of(text);
    }

    RunCommand() {
        this.directories = DataDirectory::open;
    }

    RunCommand(PlantlineCommand parent, @Nullable Path file) {
        this(parent, file, DataDirectory::open);
    }

    /** With a data directory that is opened in another way. */
    RunCommand(PlantlineCommand parent, @Nullable Path file, DataDirectory.Opener directories) {
        this.directories = directories;
        this.parent = parent;
        this.file = file;
    }

    @Override
    public Integer call() throws Exception {
        Plugins plugins = PluginCatalog.load(PlantlineCommand.orDefault(parent).plugins);
        AdminServer.Remote commands = commands();
        Duration leave = leaveDeadline();
        int cores = Runtime.getRuntime().availableProcessors();
        ConfigurationParser parser = new ConfigurationParser(plugins, cores);
        Document document = document(parser);
        ConfigurationParser.Result parsed = document.parsed();
        for (Problem warning : parsed.warnings()) {
            LOG.warn("{}", warning);
        }
        Configuration configuration = parsed.configuration();
        Set<Role> roles = configuration.roles();
        Optional<String> directory = roles.contains(Role.DISPATCHER)
                ? configuration.data().map(Configuration.Data::directory)
                : Optional.empty();
        DataDirectory data = directory.isEmpty() ? null : directories.open(Path.of(directory.get()));
        LOG.info(
                "plantline {} starts configuration {}: {}",
                Version.text(),
                configuration.hash(),
                promise(directory, roles));
        Optional<ClusterConfig> cluster = configuration.cluster();
        Optional<MutualTls> bus = cluster.flatMap(ClusterConfig::mutualTls);
        Vertx vertx = cluster.isPresent() ? Engine.join(cores / 2, cluster.get(), bus) : Engine.start(cores / 2);
        House house = new House(vertx, plugins, source -> parser.definition(source, System.getenv()), data, roles);
        follow(house, bus, commands);
        ProbeServer probes = probes(house);
        if (probes != null) {
            vertx.deployVerticle(probes)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
        }
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> stop(vertx, house, data, leave, stopped), "plantline-stop"));
        house.start(configuration).toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        Reloader reloader =
                new Reloader(vertx, house, parser, System.getenv(), file, data, configuration, document.text());
        reloader.start().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        if (probes != null) {
            probes.started(reloader);
        }
        if (data != null || commands != null) {
            vertx.deployVerticle(new AdminServer(
                            house.operations(), reloader, data == null ? null : data.adminFile(), commands))
                    .onFailure(
                            e -> LOG.error("ADMIN-FAILED: no commands can be given to this process: {}", e.toString()));
        }
        vertx.setPeriodic(60_000, id -> house.ledgers().forEach(ledger -> LOG.info("ledger {}", ledger)));
        stopped.await();
        return PlantlineCommand.OK;
    }

    private static String promise(Optional<String> directory, Set<Role> roles) {
        if (!roles.contains(Role.DISPATCHER)) {
            return "this node receives nothing, and works for those that do";
        }
        return directory
                .map(folder -> "messages are kept in " + folder
                        + ", so a message is acknowledged when it is on disk; nothing is lost, and QoS 2 arrives"
                        + " once in targets that can be written idempotently")
                .orElse("memory mode, so a message is acknowledged when its target has it; nothing is lost, and a"
                        + " crash may send again what was in flight");
    }

    private @Nullable ProbeServer probes(House house) {
        Listen where = Listen.parse("EDGE_HTTP or --http", http);
        return where == null
                ? null
                : new ProbeServer(house::vitals, where.address(), where.port(), readyNeedsTargets, Version.text());
    }

    private AdminServer.@Nullable Remote commands() {
        Listen where = Listen.parse("EDGE_ADMIN or --admin", admin);
        if (where == null) {
            return null;
        }
        Path folder = adminTls;
        if (folder == null) {
            throw new IllegalArgumentException(
                    "EDGE_ADMIN or --admin needs EDGE_ADMIN_TLS or --admin-tls: a folder with ca.crt, tls.crt and tls.key");
        }
        try {
            MutualTls tls = new MutualTls(
                    folder.resolve("ca.crt").toString(),
                    folder.resolve("tls.crt").toString(),
                    folder.resolve("tls.key").toString());
            return new AdminServer.Remote(where.address(), where.port(), tls);
        } catch (FailureException e) {
            LOG.error(
                    "ADMIN-FAILED: no commands are taken at {}:{}: {}", where.address(), where.port(), e.getMessage());
            return null;
        }
    }

    private record Document(String text, ConfigurationParser.Result parsed) {}

    /** The document; or, if it is gone or cannot run, the one that ran last, so that a restart does not make it worse. */
    private Document document(ConfigurationParser parser) {
        try {
            String text = DocumentSource.read(file);
            return new Document(text, parser.parse(text, System.getenv()));
        } catch (ConfigurationException | DocumentSource.NoDocumentException e) {
            String directory = System.getenv(EnvironmentVariables.DATA_DIRECTORY);
            String last = directory == null
                    ? null
                    : DataDirectory.lastDocument(Path.of(directory)).orElse(null);
            if (file == null || last == null) {
                throw e;
            }
            LOG.error(
                    "CONFIG-FALLBACK: {} {}; the document that ran last is used until that changes",
                    file,
                    e instanceof ConfigurationException ? "cannot run" : "cannot be read: " + e.getMessage());
            return new Document(last, parser.parse(last, System.getenv()));
        }
    }

    /** A replica that is not wanted any more takes nothing with it that only it could deliver. */
    private static boolean leaves() {
        try {
            Optional<StatefulSetReplica> replica = StatefulSetReplica.of(System.getenv());
            return replica.isPresent() && !replica.get().comesBack();
        } catch (IOException | RuntimeException e) {
            LOG.warn(
                    "SCALE-IN-UNKNOWN: whether this replica comes back cannot be found out, so it leaves its session"
                            + " as it is: {}",
                    e.toString());
            return false;
        }
    }

    private static void follow(House house, Optional<MutualTls> bus, AdminServer.@Nullable Remote commands) {
        bus.ifPresent(tls -> house.follow("the cluster's membership", tls.material(), () -> {
            tls.renew();
            LOG.warn("BUS-CERTIFICATE: the event bus goes on with the certificate it started with; restart this node"
                    + " before that expires");
        }));
        if (commands != null) {
            house.follow("the server of commands", commands.tls().material(), commands.tls()::renew);
        }
    }

    private static Duration leaveDeadline() {
        String seconds = System.getenv("EDGE_LEAVE_SECONDS");
        try {
            return Duration.ofSeconds(seconds == null ? LEAVE_SECONDS : Long.parseLong(seconds));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "EDGE_LEAVE_SECONDS is \"" + seconds + "\", expected seconds such as 600");
        }
    }

    private static void leave(House house, Duration deadline) {
        LOG.warn(
                "SCALE-IN: this replica does not come back; its session ends, and what waits is delivered within {} s",
                deadline.toSeconds());
        boolean left = false;
        try {
            left = house.leave(deadline)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(deadline.plus(STOP).toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            LOG.warn("leaving was not finished: {}", e.toString());
        }
        if (!left) {
            LOG.error("SCALE-IN-UNFINISHED: what still waits is in the data directory; keep its volume, and deliver it"
                    + " with plantline outbox drain");
        }
    }

    private static void stop(
            Vertx vertx, House house, @Nullable DataDirectory data, Duration leave, CountDownLatch stopped) {
        LOG.info("stopping");
        if (leaves()) {
            leave(house, leave);
        }
        try {
            house.stop(DRAIN).toCompletionStage().toCompletableFuture().get(STOP.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            LOG.warn("stopped before everything was in order: {}", e.toString());
        }
        house.ledgers().forEach(ledger -> LOG.info("ledger {}", ledger));
        try {
            // The last records of each log are written when its outbox closes.
            vertx.close().toCompletionStage().toCompletableFuture().get(CLOSE.toSeconds(), TimeUnit.SECONDS);
            if (data != null) {
                data.close();
            }
        } catch (Exception e) {
            LOG.warn("stopped before everything was closed: {}", e.toString());
        }
        stopped.countDown();
    }
}
