package io.plantline.runtime;

import io.plantline.config.BrokerConfig;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.Plugins;
import io.plantline.mqtt.CredentialSource;
import io.plantline.mqtt.SessionOptions;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.pipeline.SessionMemory;
import io.plantline.pipeline.dispatch.DispatcherVerticle;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
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
    private final Rooms rooms;
    private @Nullable DispatcherVerticle dispatcher;

    /**
     * A house that is not started yet.
     *
     * @param definitions reads the definition of a log whose target the configuration has not
     * @param data what outlives the process; null in memory mode
     */
    public House(
            Vertx vertx,
            Configuration configuration,
            Plugins plugins,
            Function<String, Definition> definitions,
            @Nullable DataDirectory data) {
        this.vertx = vertx;
        this.data = data;
        this.configuration = configuration;
        this.secrets = new Secrets(vertx, plugins);
        this.rooms = new Rooms(vertx, configuration, secrets, definitions, data);
    }

    /** Starts every room. Targets that are down do not keep it from starting. */
    public Future<Void> start() {
        return startWithoutSession().compose(v -> startDispatcher());
    }

    /** Starts what delivers, and nothing that receives. */
    public Future<Void> startWithoutSession() {
        PipelineCodec.registerAll(vertx.eventBus());
        return rooms.open();
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

    private Future<Void> startDispatcher() {
        SessionMemory sessions = data == null
                ? SessionMemory.inMemory()
                : data.sessions(vertx, configuration.broker().clientId());
        DispatcherVerticle verticle = new DispatcherVerticle(
                new DispatcherVerticle.Wish(
                        this::sessionOptions, configuration.subscriptions(), rooms.doors(), credentials()),
                sessions);
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
        return rooms.all().stream().map(room -> room.ledger().snapshot()).toList();
    }

    @Override
    public Future<List<OutboxReport>> outboxes() {
        List<Future<OutboxReport>> reports =
                rooms.all().stream().map(room -> room.outbox().report()).toList();
        return Future.all(reports).map(v -> reports.stream().map(Future::result).toList());
    }

    @Override
    public Future<List<DeadLetter>> deadLetters(String target, long from, int limit) {
        return rooms.outbox(target).compose(outbox -> outbox.deadLetters(from, limit));
    }

    @Override
    public Future<Long> purgeDeadLetters(String target, long upTo) {
        return rooms.outbox(target).compose(outbox -> outbox.purgeDeadLetters(upTo));
    }

    @Override
    public Future<Long> replayDeadLetters(String target, String to, long upTo) {
        return rooms.outbox(target)
                .compose(from -> rooms.outbox(to).compose(taker -> from.replayDeadLetters(upTo, taker)));
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
                    rooms.all().forEach(room -> drained.add(room.outbox().drain()));
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
        return rooms.close().otherwiseEmpty().eventually(secrets::close);
    }
}
