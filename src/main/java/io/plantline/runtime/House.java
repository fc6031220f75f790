package io.plantline.runtime;

import io.netty.util.concurrent.EventExecutor;
import io.plantline.config.ClusterConfig.Role;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationException;
import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.Difference;
import io.plantline.config.Difference.BrokerChange;
import io.plantline.config.Material;
import io.plantline.config.Plugins;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.TargetLedger;
import io.plantline.observe.Vitals;
import io.plantline.pipeline.OnContext;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.spi.SecretReference;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running configuration. It starts with the last room, so that whoever speaks finds a listener, and stops with the
 * first, so that what is inside can leave.
 */
public final class House {
    private static final Logger LOG = LoggerFactory.getLogger(House.class);
    private static final long LOOK_MILLIS = 100;
    private static final int CHANGE_SECONDS = 3;
    private static final Duration FORMER_SESSION = Duration.ofSeconds(30);
    private static final long ROTATION_MILLIS = 5_000;
    private static final Vitals.Session NO_SESSION =
            new Vitals.Session("NONE", true, List.of(), "this node receives nothing", Map.of());

    private final Vertx vertx;
    private final ContextInternal context;
    private final @Nullable DataDirectory data;
    private final Secrets secrets;
    private final Rotation rotation;
    private final Rooms rooms;
    private final List<Rotation.User> guests = new ArrayList<>();
    private final boolean receives;
    private volatile @Nullable Configuration configuration;
    private volatile @Nullable Sessions sessions;
    private boolean rotating;
    private Future<?> busy = Future.succeededFuture();
    private @Nullable Future<Void> stopped;

    /**
     * An empty house.
     *
     * @param definitions reads the definition of a log whose target the configuration has not
     * @param data what outlives the process; null in memory mode
     */
    public House(Vertx vertx, Plugins plugins, Function<String, Definition> definitions, @Nullable DataDirectory data) {
        this(vertx, plugins, definitions, data, Role.ALL);
    }

    /**
     * An empty house of a node that does a part of the work.
     *
     * @param definitions reads the definition of a log whose target the configuration has not
     * @param data what outlives the process; null in memory mode, and where nothing is received
     */
    public House(
            Vertx vertx,
            Plugins plugins,
            Function<String, Definition> definitions,
            @Nullable DataDirectory data,
            Set<Role> roles) {
        this.receives = roles.contains(Role.DISPATCHER);
        this.vertx = vertx;
        this.context = (ContextInternal) vertx.getOrCreateContext();
        this.data = data;
        this.secrets = new Secrets(vertx, plugins, this::secretChanged);
        this.rotation = new Rotation(vertx, secrets);
        this.rooms = new Rooms(vertx, secrets, rotation, definitions, this::hash, data, roles);
    }

    private String hash() {
        Configuration running = configuration;
        return running == null ? "" : running.hash();
    }

    /** Starts every room. Targets that are down do not keep it from starting. */
    public Future<Void> start(Configuration first) {
        return startWithoutSession(first)
                .compose(v -> receives ? onContext(() -> open(first)) : Future.succeededFuture());
    }

    /** Starts what delivers, and nothing that receives. */
    public Future<Void> startWithoutSession(Configuration first) {
        PipelineCodec.registerAll(vertx.eventBus());
        return onContext(() -> {
            configuration = first;
            return rotation.know(List.of(first.broker().material()))
                    .compose(v -> rooms.open(first))
                    .onSuccess(v -> vertx.setPeriodic(ROTATION_MILLIS, id -> rotate()));
        });
    }

    /**
     * Has certificates that somebody outside of the house uses followed, too.
     *
     * @param renew uses those of now; may block
     */
    public Future<Void> follow(String user, Material material, Runnable renew) {
        return onContext(() -> {
            guests.add(new Rotation.User(
                    user,
                    material,
                    () -> vertx.executeBlocking(() -> {
                        renew.run();
                        return null;
                    })));
            return rotation.know(List.of(material));
        });
    }

    private void secretChanged(SecretReference reference) {
        context.runOnContext(v -> {
            rotation.changed(reference);
            rotate();
        });
    }

    /** Certificates and credentials that are other ones now are taken up, but not while the configuration changes. */
    private void rotate() {
        if (stopped == null && !rotating) {
            rotating = true;
            busy = busy.transform(v -> rotation.look(users())).onComplete(v -> rotating = false);
        }
    }

    private List<Rotation.User> users() {
        List<Rotation.User> users = new ArrayList<>(rooms.users());
        users.addAll(guests);
        Sessions open = sessions;
        Configuration running = configuration;
        if (open != null && running != null) {
            users.add(new Rotation.User("the broker's session", running.broker().material(), open::renew));
        }
        secrets.retain(users.stream()
                .flatMap(user -> user.material().credentials().stream())
                .collect(Collectors.toSet()));
        return users;
    }

    /**
     * Becomes what another document says. What is the same goes on untouched.
     *
     * @return what has changed; fails if something cannot be changed, and then everything is as before
     */
    public Future<Difference> change(Configuration next) {
        return onContext(() -> {
            Future<Difference> changed = busy.transform(v -> changeNow(next));
            busy = changed;
            return changed;
        });
    }

    private Future<Difference> changeNow(Configuration next) {
        Configuration before = configuration;
        Sessions open = sessions;
        if (stopped != null || before == null || (open == null && receives)) {
            return Future.failedFuture(new Operations.RefusedException("the process is starting or stopping"));
        }
        Difference difference = Difference.between(before, next);
        if (!difference.problems().isEmpty()) {
            return Future.failedFuture(new ConfigurationException(difference.problems()));
        }
        return rotation.know(List.of(next.broker().material()))
                .compose(v -> rooms.changesTo(next))
                .compose(changes -> {
                    List<Change> all = new ArrayList<>(changes);
                    if (open != null) {
                        all.add(dispatch(open, before, next, difference.broker()));
                    }
                    return Change.applyAll(all);
                })
                .andThen(v -> rooms.changed())
                .map(v -> {
                    configuration = next;
                    return difference;
                });
    }

    /** New routes, on the session there is or on another one. */
    private Change dispatch(Sessions open, Configuration before, Configuration next, BrokerChange how) {
        return how == BrokerChange.REPLACE
                ? replace(open, before, next)
                : new Change(
                        () -> open.change(next, how == BrokerChange.RECONNECT),
                        Future::succeededFuture,
                        Future::succeededFuture);
    }

    /** Another client identifier means other sessions: the new ones are there before the old ones go. */
    private Change replace(Sessions former, Configuration before, Configuration next) {
        return new Change(
                () -> open(next)
                        .compose(
                                v -> Optional.ofNullable(sessions).orElseThrow().subscribed())
                        .timeout(next.broker().connectTimeout().toMillis() * 3, TimeUnit.MILLISECONDS)
                        .recover(e -> {
                            Sessions failed = sessions;
                            sessions = former;
                            former.remember(before);
                            return (failed == null ? Future.<Void>succeededFuture() : failed.close())
                                    .transform(v -> Future.failedFuture(e));
                        }),
                Future::succeededFuture,
                () -> former.retire(before, FORMER_SESSION).eventually(former::close));
    }

    private Future<Void> open(Configuration first) {
        Sessions opened = new Sessions(vertx, data, secrets, rooms::doors);
        sessions = opened;
        return opened.start(first);
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

    /**
     * Works on the house's own context, and completes where it was asked: a verticle that is deployed from another verticle's
     * context would go when that one goes.
     */
    private <T> Future<T> onContext(Supplier<Future<T>> work) {
        return OnContext.call(context, work);
    }

    /** Every target's books. */
    public List<TargetLedger.Snapshot> ledgers() {
        return rooms.withOutbox().stream().map(room -> room.ledger().snapshot()).toList();
    }

    /** What an operator may ask and do. */
    public Operations operations() {
        return new OpenOutboxes(rooms);
    }

    /** How everything is; comes from where everything runs, so what does not turn does not answer. */
    public Future<Vitals> vitals() {
        Sessions open = sessions;
        Future<Vitals.@Nullable Session> session = open == null
                ? Future.succeededFuture(receives ? null : NO_SESSION)
                : open.report().otherwise((Vitals.Session) null);
        List<Future<Vitals.Target>> targets =
                rooms.withOutbox().stream().map(TargetRoom::vitals).toList();
        List<Future<?>> all = new ArrayList<>(targets);
        all.add(session);
        all.addAll(turns());
        return Future.all(all)
                .map(v -> new Vitals(
                        session.result(),
                        targets.stream().map(Future::result).toList(),
                        rotation.expiries(),
                        data == null ? -1 : data.freeBytes(),
                        nodes()));
    }

    private int nodes() {
        ClusterManager cluster = ((VertxInternal) vertx).clusterManager();
        return cluster == null ? 1 : cluster.getNodes().size();
    }

    /** Completes, each, when an event loop has come round: those of publishers and processors, too. */
    private List<Future<Void>> turns() {
        List<Future<Void>> turns = new ArrayList<>();
        for (EventExecutor loop : ((VertxInternal) vertx).nettyEventLoopGroup()) {
            Promise<Void> turn = Promise.promise();
            loop.execute(turn::complete);
            turns.add(turn.future());
        }
        return turns;
    }

    /** The sessions, by connection, with their counters of now. */
    public Future<List<SessionStatus>> sessions() {
        Sessions open = sessions;
        return open == null ? Future.failedFuture("not started") : open.status();
    }

    /**
     * Stops reading, gives what is inside {@code deadline} to leave, and says good-bye to the broker. What could not
     * leave was not acknowledged: the broker keeps it.
     */
    public Future<Void> stop(Duration deadline) {
        return onContext(() -> {
            Future<Void> stopping = stopped;
            if (stopping == null) {
                // A change that is under way ends first, if it does so in time.
                stopping = busy.timeout(CHANGE_SECONDS, TimeUnit.SECONDS).transform(v -> stopNow(deadline));
                stopped = stopping;
            }
            return stopping;
        });
    }

    /**
     * Stops for good: ends the session at the broker once what it still has for us is here, and gives what is inside until
     * the deadline to leave. Other members of a share group get what is published from then on.
     *
     * @return completes with whether everything has left; what has not is on disk
     */
    public Future<Boolean> leave(Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        return onContext(() -> {
            Configuration running = configuration;
            Sessions open = sessions;
            if (stopped != null || running == null || open == null) {
                return Future.succeededFuture(false);
            }
            Promise<Void> done = Promise.promise();
            stopped = done.future();
            return busy.timeout(CHANGE_SECONDS, TimeUnit.SECONDS)
                    .transform(v -> open.retire(running, deadline))
                    .transform(v -> empty().timeout(
                                    Math.max(1, (end - System.nanoTime()) / 1_000_000), TimeUnit.MILLISECONDS)
                            .map(true)
                            .otherwise(false))
                    .compose(left -> open.close().eventually(this::closeAll).map(left))
                    .onComplete(v -> done.complete());
        });
    }

    private Future<Void> stopNow(Duration deadline) {
        Sessions open = sessions;
        List<Future<Void>> drained = new ArrayList<>();
        return (open == null ? Future.<Void>succeededFuture() : open.stopReading())
                .compose(v -> {
                    rooms.withOutbox().forEach(room -> drained.add(room.outbox().drain()));
                    return Future.all(drained).timeout(deadline.toMillis(), TimeUnit.MILLISECONDS);
                })
                .recover(e -> {
                    LOG.warn(
                            "not everything could be delivered within {} s; the broker keeps it", deadline.toSeconds());
                    return Future.succeededFuture();
                })
                .compose(v -> open == null ? Future.succeededFuture() : open.close())
                .compose(v -> closeAll());
    }

    private Future<Void> closeAll() {
        return rooms.close().otherwiseEmpty().eventually(secrets::close);
    }
}
