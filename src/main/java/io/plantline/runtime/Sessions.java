package io.plantline.runtime;

import io.plantline.config.BrokerConfig;
import io.plantline.config.Configuration;
import io.plantline.config.Connections;
import io.plantline.config.Subscription;
import io.plantline.mqtt.CredentialSource;
import io.plantline.mqtt.SessionOptions;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.Vitals;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionMemory;
import io.plantline.pipeline.dispatch.DispatcherVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions with the broker under one client identifier: one per connection, each with its part of the subscriptions. A
 * subscription that moves from one to another is asked for by both until the new one has it, so that it may bring a message
 * twice, and never none. Used on the context of the house.
 */
final class Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
    private static final Duration LEAVE = Duration.ofMinutes(2);

    private final Vertx vertx;
    private final @Nullable DataDirectory data;
    private final Secrets secrets;
    private final Supplier<Map<String, Outbox>> doors;

    /** By connection; the last ones may be there only to be emptied. */
    private final List<One> open = new CopyOnWriteArrayList<>();

    /** Those that are emptied, until they have ended. */
    private final List<Leaving> leaving = new CopyOnWriteArrayList<>();

    /** What they are to be as. */
    private @Nullable Configuration present;

    /** Counts what was wished, so that what is left of an earlier wish is given up. */
    private int wishes;

    Sessions(Vertx vertx, @Nullable DataDirectory data, Secrets secrets, Supplier<Map<String, Outbox>> doors) {
        this.vertx = vertx;
        this.data = data;
        this.secrets = secrets;
        this.doors = doors;
    }

    private record Leaving(int connection, DispatcherVerticle verticle, Future<Void> gone) {}

    /** One session. */
    private static final class One {
        private final DispatcherVerticle verticle;
        private List<Subscription> asks;
        private DispatcherVerticle.Wish wish;

        One(DispatcherVerticle verticle, List<Subscription> asks, DispatcherVerticle.Wish wish) {
            this.verticle = verticle;
            this.asks = asks;
            this.wish = wish;
        }

        Future<Void> become(List<Subscription> next, DispatcherVerticle.Wish wished, boolean reconnect) {
            List<Subscription> asked = asks;
            DispatcherVerticle.Wish before = wish;
            asks = next;
            wish = wished;
            return verticle.change(wished, reconnect).recover(e -> {
                asks = asked;
                wish = before;
                return verticle.change(before, reconnect).transform(v -> Future.failedFuture(e));
            });
        }
    }

    /** Opens them; those that an earlier start has left with more or other subscriptions are emptied. */
    Future<Void> start(Configuration first) {
        int connections = first.broker().connections();
        int left = data == null ? 0 : data.sessionsLeft(first.broker().clientId());
        return openAll(first, Math.max(connections, left)).map(v -> {
            settle(first);
            return null;
        });
    }

    /** Two sessions under one identifier would end each other: what still leaves is waited for. */
    private Future<Void> openAll(Configuration wished, int connections) {
        List<Future<Void>> gone = leaving.stream()
                .filter(one -> one.connection < connections)
                .map(Leaving::gone)
                .toList();
        return Future.join(gone).transform(v -> openNow(wished, connections));
    }

    private Future<Void> openNow(Configuration wished, int connections) {
        List<List<Subscription>> split =
                Connections.split(wished.subscriptions(), wished.broker().connections());
        // What may throw comes first, when there is nothing yet to take back.
        int first = open.size();
        List<SessionMemory> memories = IntStream.range(first, connections)
                .mapToObj(connection -> memory(wished, connection))
                .toList();
        List<Future<?>> deployed = new ArrayList<>();
        for (int connection = first; connection < connections; connection++) {
            SessionMemory memory = memories.get(connection - first);
            List<Subscription> asks = and(
                    connection < split.size() ? split.get(connection) : List.of(),
                    wished.subscriptions(),
                    subscription ->
                            memory.filters().contains(subscription.filter().text()));
            DispatcherVerticle.Wish wish = wish(wished, connection, asks);
            One one = new One(new DispatcherVerticle(wish, memory), asks, wish);
            open.add(one);
            deployed.add(vertx.deployVerticle(one.verticle));
        }
        return Future.join(deployed).mapEmpty();
    }

    private SessionMemory memory(Configuration of, int connection) {
        return data == null
                ? SessionMemory.inMemory()
                : data.sessions(vertx, of.broker().clientId(), connection);
    }

    /** The sessions' files are again those of a configuration that goes on. */
    void remember(Configuration of) {
        for (int connection = 0; connection < open.size(); connection++) {
            memory(of, connection);
        }
    }

    private static List<Subscription> and(
            List<Subscription> own, List<Subscription> all, Predicate<Subscription> also) {
        List<Subscription> both = new ArrayList<>(own);
        all.stream()
                .filter(subscription -> !own.contains(subscription) && also.test(subscription))
                .forEach(both::add);
        return both;
    }

    /**
     * Other subscriptions, another number of connections, or both.
     *
     * @param reconnect whether more than subscriptions differs that the broker must know
     * @return fails if the broker refuses something that is new, and then everything is as before
     */
    Future<Void> change(Configuration next, boolean reconnect) {
        wishes++;
        Configuration former = present;
        int before = open.size();
        int connections = next.broker().connections();
        List<List<Subscription>> split = Connections.split(next.subscriptions(), connections);
        List<Supplier<Future<Void>>> undo = new ArrayList<>();
        Future<Void> changed = Future.succeededFuture();
        for (int i = 0; i < before; i++) {
            int connection = i;
            One one = open.get(i);
            List<Subscription> asked = one.asks;
            DispatcherVerticle.Wish wished = one.wish;
            // What moves to another connection stays here until it is there.
            List<Subscription> asks = and(
                    connection < connections ? split.get(connection) : List.of(),
                    next.subscriptions(),
                    subscription -> asked.stream().anyMatch(old -> old.filter().equals(subscription.filter())));
            changed = changed.compose(v -> one.become(asks, wish(next, connection, asks), reconnect))
                    .map(v -> {
                        undo.add(() -> one.become(asked, wished, reconnect));
                        return null;
                    });
        }
        return changed.compose(v -> openAll(next, Math.max(connections, before)))
                .<Void>map(v -> {
                    settle(next);
                    return null;
                })
                .recover(e -> takeBack(next, former, before, undo).transform(v -> Future.failedFuture(e)));
    }

    /** What a change has opened is ended, and the others are as before when this completes. */
    private Future<Void> takeBack(
            Configuration refused, @Nullable Configuration former, int before, List<Supplier<Future<Void>>> undo) {
        for (int i = open.size() - 1; i >= before; i--) {
            end(refused.broker(), i);
        }
        return Future.join(undo.stream().map(Supplier::get).toList()).transform(undone -> {
            if (former != null) {
                settle(former);
            }
            return Future.succeededFuture();
        });
    }

    /** When all sessions have what is theirs, each gives up what is another one's. */
    private void settle(Configuration wished) {
        present = wished;
        int wish = ++wishes;
        List<List<Subscription>> split =
                Connections.split(wished.subscriptions(), wished.broker().connections());
        boolean settled = open.size() == split.size();
        for (int i = 0; i < open.size() && settled; i++) {
            settled = open.get(i).asks.equals(split.get(i));
        }
        if (!settled) {
            subscribed().onSuccess(v -> {
                if (wish == wishes) {
                    giveUp(wished, split);
                }
            });
        }
    }

    private void giveUp(Configuration wished, List<List<Subscription>> split) {
        for (int i = 0; i < split.size(); i++) {
            One one = open.get(i);
            if (!one.asks.equals(split.get(i))) {
                one.become(split.get(i), wish(wished, i, split.get(i)), false)
                        .onFailure(e -> LOG.warn("subscriptions that moved could not be given up: {}", e.toString()));
            }
        }
        for (int i = open.size() - 1; i >= split.size(); i--) {
            end(wished.broker(), i);
        }
    }

    /** One connection is too many: what its session still has at the broker is taken, and then it ends. */
    private void end(BrokerConfig broker, int connection) {
        One one = open.remove(connection);
        if (one.verticle.deploymentID() == null) {
            return; // It could not be opened.
        }
        LOG.info("MQTT-CONNECTION-RETIRED: the session as {} is emptied and ended", clientId(broker, connection));
        Future<Void> gone = one.verticle
                .retire(options(broker, connection, List.of()), LEAVE)
                .eventually(() -> vertx.undeploy(one.verticle.deploymentID()));
        Leaving now = new Leaving(connection, one.verticle, gone);
        leaving.add(now);
        gone.onComplete(v -> leaving.remove(now));
    }

    private DispatcherVerticle.Wish wish(Configuration of, int connection, List<Subscription> asks) {
        return new DispatcherVerticle.Wish(
                subscriptions -> options(of.broker(), connection, subscriptions),
                of.subscriptions(),
                asks,
                doors.get(),
                credentials(of.broker()));
    }

    /** The first connection has the identifier as it is configured, and the last will. */
    private static String clientId(BrokerConfig broker, int connection) {
        return connection == 0 ? broker.clientId() : broker.clientId() + "." + connection;
    }

    private static SessionOptions options(
            BrokerConfig broker, int connection, List<SessionOptions.Subscription> subscriptions) {
        return new SessionOptions(
                broker.addresses().stream()
                        .map(address -> new SessionOptions.Address(address.host(), address.port()))
                        .toList(),
                broker.version(),
                clientId(broker, connection),
                broker.keepAlive(),
                broker.connectTimeout(),
                broker.sessionExpiry(),
                broker.reconnectMin(),
                broker.reconnectMax(),
                broker.receiveMaximum(),
                broker.maxPacketSize(),
                broker.maxUnacknowledged(),
                broker.uniquePayloads(),
                broker.tls(),
                broker.proxy(),
                broker.will()
                        .filter(will -> connection == 0)
                        .map(will -> new SessionOptions.Will(
                                will.topic(),
                                will.payload().getBytes(StandardCharsets.UTF_8),
                                will.qos(),
                                will.retain())),
                subscriptions);
    }

    private CredentialSource credentials(BrokerConfig broker) {
        return broker.credential()
                .<CredentialSource>map(
                        reference -> refresh -> secrets.read(reference, refresh).map(Optional::of))
                .orElse(refresh -> Future.succeededFuture(Optional.empty()));
    }

    private Future<Void> each(Function<DispatcherVerticle, Future<Void>> work) {
        return Future.join(open.stream().map(one -> work.apply(one.verticle)).toList())
                .mapEmpty();
    }

    /** Completes when the broker has agreed to the subscriptions of all. */
    Future<Void> subscribed() {
        return each(DispatcherVerticle::subscribed);
    }

    /** Uses the certificates of now for every connection from the next one on; fails if the broker cannot be reached by them. */
    Future<Void> renew() {
        return open.isEmpty() ? Future.succeededFuture() : each(DispatcherVerticle::renew);
    }

    Future<Void> stopReading() {
        wishes++;
        return Future.join(Stream.concat(
                                open.stream().map(one -> one.verticle),
                                leaving.stream().map(Leaving::verticle))
                        .map(DispatcherVerticle::stopReading)
                        .toList())
                .mapEmpty();
    }

    /** Unsubscribes, takes what the broker still has for them, and ends them. */
    Future<Void> retire(Configuration of, Duration atMost) {
        wishes++;
        List<Future<Void>> retired =
                new ArrayList<>(leaving.stream().map(Leaving::gone).toList());
        for (int i = 0; i < open.size(); i++) {
            retired.add(open.get(i).verticle.retire(options(of.broker(), i, List.of()), atMost));
        }
        return Future.join(retired).mapEmpty();
    }

    /** Ends the connections; the broker keeps the sessions. */
    Future<Void> close() {
        wishes++;
        List<Future<Void>> closed = new ArrayList<>();
        for (One one : open) {
            if (one.verticle.deploymentID() != null) {
                closed.add(vertx.undeploy(one.verticle.deploymentID()));
            }
        }
        return Future.join(closed).mapEmpty();
    }

    /** By connection, with the counters of now. */
    Future<List<SessionStatus>> status() {
        List<Future<SessionStatus>> all =
                open.stream().map(one -> one.verticle.refreshStatus()).toList();
        return Future.all(all).map(v -> all.stream().map(Future::result).toList());
    }

    /** As one: the state of the first that does not work, the counters of all. */
    Future<Vitals.Session> report() {
        return status().map(SessionTotals::of);
    }
}
