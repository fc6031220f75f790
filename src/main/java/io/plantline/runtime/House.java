package io.plantline.runtime;

import io.plantline.config.BrokerConfig;
import io.plantline.config.Configuration;
import io.plantline.config.Plugins;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.mqtt.CredentialSource;
import io.plantline.mqtt.SessionOptions;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.pipeline.SessionGenerations;
import io.plantline.pipeline.dispatch.DispatcherVerticle;
import io.plantline.pipeline.outbox.OutboxVerticle;
import io.plantline.pipeline.process.ProcessorVerticle;
import io.plantline.pipeline.publish.PublisherVerticle;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Processor;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running configuration. It starts with the last room, so that whoever speaks finds a listener, and stops with the
 * first, so that what is inside can leave.
 */
public final class House implements Operations {
    private static final Logger LOG = LoggerFactory.getLogger(House.class);
    private static final long LOOK_MILLIS = 100;

    private final Vertx vertx;
    private final Configuration configuration;
    private final @Nullable DataDirectory data;
    private final Secrets secrets;
    private final Map<String, TargetLedger> ledgers = new LinkedHashMap<>();
    private final Map<String, OutboxVerticle> outboxes = new LinkedHashMap<>();
    private final List<WorkerExecutor> workers = new ArrayList<>();
    private @Nullable DispatcherVerticle dispatcher;

    /**
     * A house that is not started yet.
     *
     * @param data what outlives the process; null in memory mode
     */
    public House(Vertx vertx, Configuration configuration, Plugins plugins, @Nullable DataDirectory data) {
        this.vertx = vertx;
        this.data = data;
        this.configuration = configuration;
        this.secrets = new Secrets(vertx, plugins);
    }

    /** Starts every room. Targets that are down do not keep it from starting. */
    public Future<Void> start() {
        return startWithoutSession().compose(v -> startDispatcher());
    }

    /** Starts what delivers, and nothing that receives. */
    public Future<Void> startWithoutSession() {
        PipelineCodec.registerAll(vertx.eventBus());
        return startPublishers().compose(v -> startProcessors()).compose(v -> startOutboxes());
    }

    /** Completes when no outbox has a message that waits. */
    public Future<Void> empty() {
        Promise<Void> empty = Promise.promise();
        vertx.setPeriodic(LOOK_MILLIS, id -> {
            if (ledgers().stream().allMatch(ledger -> ledger.waiting() == 0)) {
                vertx.cancelTimer(id);
                empty.tryComplete();
            }
        });
        return empty.future();
    }

    private Future<Void> startPublishers() {
        return each(configuration.targets().values(), target -> {
            WorkerExecutor pool = workers("target-" + target.name(), Math.max(1, target.instances()));
            TargetContext context = new SectionContext(vertx, target.name(), format(target), pool, secrets);
            return deploy(
                    target.instances(),
                    () -> new PublisherVerticle(
                            target.name(), target.fingerprint(), () -> create(target.factory(), target, context)));
        });
    }

    private Future<Void> startProcessors() {
        return each(configuration.processors().values(), processor -> {
            WorkerExecutor pool = workers("processor-" + processor.name(), processor.instances());
            TargetContext context = new SectionContext(vertx, processor.name(), null, pool, secrets);
            return deploy(
                    processor.instances(),
                    () -> new ProcessorVerticle(
                            processor.name(), () -> create(processor.factory(), processor, context)));
        });
    }

    private Future<Void> startOutboxes() {
        for (TargetDefinition target : configuration.targets().values()) {
            TargetLedger ledger = new TargetLedger(target.name());
            ledgers.put(target.name(), ledger);
            List<ProcessorDefinition> processors = target.processors().stream()
                    .map(name -> Optional.ofNullable(configuration.processors().get(name))
                            .orElseThrow())
                    .toList();
            outboxes.put(target.name(), new OutboxVerticle(target, processors, storage(target), ledger, outboxes::get));
        }
        nameStrangers();
        return each(outboxes.values(), outbox -> vertx.deployVerticle(outbox).mapEmpty())
                .onSuccess(v -> outboxes.values().forEach(OutboxVerticle::resume));
    }

    /** A log of a target that was changed or removed stays where it is, and must not be forgotten. */
    private void nameStrangers() {
        DataDirectory directory = data;
        if (directory == null) {
            return;
        }
        Set<Path> known = configuration.targets().values().stream()
                .map(target -> directory.targetFolder(target.name(), target.fingerprint()))
                .collect(Collectors.toSet());
        for (Path folder : directory.strangers(known)) {
            LOG.warn(
                    "OUTBOX-ORPHAN: {} is the log of a target that this configuration has not, or has otherwise; what"
                            + " waits in it stays there until the target is back as it was",
                    folder);
        }
    }

    private OutboxVerticle.Storage storage(TargetDefinition target) {
        DataDirectory directory = data;
        if (directory == null) {
            return new OutboxVerticle.Storage(DataDirectory.newOutboxId(), Optional.empty(), 0, configuration.hash());
        }
        Path folder = directory.targetFolder(target.name(), target.fingerprint());
        long minFree =
                configuration.data().map(Configuration.Data::minFreeBytes).orElse(0L);
        return new OutboxVerticle.Storage(
                directory.outboxId(folder), Optional.of(folder), minFree, configuration.hash());
    }

    private Future<Void> startDispatcher() {
        Map<String, Outbox> doors = new LinkedHashMap<>(outboxes);
        SessionGenerations sessions = data == null
                ? SessionGenerations.inMemory()
                : data.sessions(vertx, configuration.broker().clientId());
        DispatcherVerticle verticle = new DispatcherVerticle(
                this::sessionOptions, configuration.subscriptions(), doors, sessions, credentials());
        dispatcher = verticle;
        return vertx.deployVerticle(verticle).mapEmpty();
    }

    private SessionOptions sessionOptions(List<SessionOptions.Subscription> subscriptions) {
        BrokerConfig broker = configuration.broker();
        return new SessionOptions(
                broker.addresses().stream()
                        .map(address -> new SessionOptions.Address(address.host(), address.port()))
                        .toList(),
                broker.version(),
                broker.clientId(),
                broker.keepAlive(),
                broker.connectTimeout(),
                broker.sessionExpiry(),
                broker.reconnectMin(),
                broker.reconnectMax(),
                broker.receiveMaximum(),
                broker.maxPacketSize(),
                broker.maxUnacknowledged(),
                broker.tls(),
                broker.proxy(),
                broker.will()
                        .map(will -> new SessionOptions.Will(
                                will.topic(),
                                will.payload().getBytes(StandardCharsets.UTF_8),
                                will.qos(),
                                will.retain())),
                subscriptions);
    }

    private CredentialSource credentials() {
        return configuration
                .broker()
                .credential()
                .<CredentialSource>map(
                        reference -> refresh -> secrets.read(reference, refresh).map(Optional::of))
                .orElse(refresh -> Future.succeededFuture(Optional.empty()));
    }

    /** Every target's books. */
    public List<TargetLedger.Snapshot> ledgers() {
        return ledgers.values().stream().map(TargetLedger::snapshot).toList();
    }

    @Override
    public Future<List<OutboxReport>> outboxes() {
        List<Future<OutboxReport>> reports =
                outboxes.values().stream().map(OutboxVerticle::report).toList();
        return Future.all(reports).map(v -> reports.stream().map(Future::result).toList());
    }

    @Override
    public Future<List<DeadLetter>> deadLetters(String target, long from, int limit) {
        return outbox(target).compose(outbox -> outbox.deadLetters(from, limit));
    }

    @Override
    public Future<Long> purgeDeadLetters(String target, long upTo) {
        return outbox(target).compose(outbox -> outbox.purgeDeadLetters(upTo));
    }

    @Override
    public Future<Long> replayDeadLetters(String target, String to, long upTo) {
        return outbox(target).compose(from -> outbox(to).compose(taker -> from.replayDeadLetters(upTo, taker)));
    }

    private Future<OutboxVerticle> outbox(String target) {
        OutboxVerticle outbox = outboxes.get(target);
        return outbox == null
                ? Future.failedFuture(new RefusedException("there is no target \"" + target + "\"; there is: "
                        + String.join(", ", new TreeSet<>(outboxes.keySet()))))
                : Future.succeededFuture(outbox);
    }

    /** The session, with its counters of now. */
    public Future<SessionStatus> session() {
        return dispatcher == null ? Future.failedFuture("not started") : dispatcher.refreshStatus();
    }

    /**
     * Stops reading, gives what is inside {@code deadline} to leave, and says good-bye to the broker. What could not
     * leave was not acknowledged: the broker keeps it.
     */
    public Future<Void> stop(Duration deadline) {
        DispatcherVerticle first = dispatcher;
        List<Future<Void>> drained = new ArrayList<>();
        return (first == null ? Future.<Void>succeededFuture() : first.stopReading())
                .compose(v -> {
                    outboxes.values().forEach(outbox -> drained.add(outbox.drain()));
                    return Future.all(drained).timeout(deadline.toMillis(), TimeUnit.MILLISECONDS);
                })
                .recover(e -> {
                    LOG.warn(
                            "not everything could be delivered within {} s; the broker keeps it", deadline.toSeconds());
                    return Future.succeededFuture();
                })
                .compose(v -> first == null ? Future.succeededFuture() : vertx.undeploy(first.deploymentID()))
                .compose(v -> closeAll());
    }

    private Future<Void> closeAll() {
        return secrets.close().eventually(() -> {
            workers.forEach(WorkerExecutor::close);
            return Future.succeededFuture();
        });
    }

    private Future<Void> deploy(int instances, java.util.function.Supplier<Deployable> verticle) {
        return vertx.deployVerticle(verticle, new DeploymentOptions().setInstances(instances))
                .mapEmpty();
    }

    private WorkerExecutor workers(String name, int size) {
        WorkerExecutor pool = vertx.createSharedWorkerExecutor("plantline-" + name, size);
        workers.add(pool);
        return pool;
    }

    private static @Nullable PayloadFormat format(TargetDefinition target) {
        return target.format()
                .map(format -> create(format.factory(), format.config()))
                .orElse(null);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> PayloadFormat create(PayloadFormatFactory<C> factory, Object config) {
        return factory.create((C) config);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Target create(TargetFactory<C> factory, TargetDefinition target, TargetContext context) {
        return factory.create((C) target.config(), context);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Processor create(
            ProcessorFactory<C> factory, ProcessorDefinition processor, TargetContext context) {
        return factory.create((C) processor.config(), context);
    }

    private static <T> Future<Void> each(Iterable<T> items, java.util.function.Function<T, Future<Void>> step) {
        List<Future<Void>> steps = new ArrayList<>();
        items.forEach(item -> steps.add(step.apply(item)));
        return Future.all(steps).mapEmpty();
    }
}
