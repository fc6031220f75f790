package io.plantline.mqtt;

import io.plantline.model.Credential;
import io.plantline.model.TopicFilter;
import io.plantline.spi.Proxy;
import io.plantline.spi.TlsSettings;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;

/** A session with a handler that keeps what it gets until the test says that it is safe. */
final class SessionHarness implements AutoCloseable {
    /** Sockets as the program has them. */
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));

    private final ContextInternal context = (ContextInternal) vertx.getOrCreateContext();
    private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
    private final BlockingQueue<Promise<Void>> reads = new LinkedBlockingQueue<>();
    private final List<SessionStatus> states = new CopyOnWriteArrayList<>();
    private final MqttSession session;
    private volatile boolean safeAtOnce;
    private volatile boolean failOnce;
    /** How often the handler was told of a new session. */
    final AtomicInteger newSessions = new AtomicInteger();

    /** One message as the handler saw it. */
    record Received(String topic, int qos, boolean redelivered, boolean retained, String payload) {}

    /** The options of a test, with short times. */
    static final class Options {
        int[] ports = {};
        int version;
        Duration keepAlive = Duration.ofSeconds(15);
        Duration connectTimeout = Duration.ofSeconds(5);
        int receiveMaximum = 65_535;
        int maxPacketSize = 1 << 20;
        long maxUnacknowledged = 1 << 20;
        boolean uniquePayloads;
        Optional<TlsSettings> tls = Optional.empty();
        Optional<Proxy> proxy = Optional.empty();
        Optional<SessionOptions.Will> will = Optional.empty();
        List<SessionOptions.Subscription> subscriptions = List.of(subscription("a/#", 2, 0));
        CredentialSource credentials = refresh -> Future.succeededFuture(Optional.empty());
        String host = "127.0.0.1";
        Set<String> filters = Set.of();
        int sessionsThatCannotBeWritten;

        static SessionOptions.Subscription subscription(String filter, int qos, int identifier) {
            return new SessionOptions.Subscription(TopicFilter.of(filter), qos, identifier);
        }

        Options password(String user, String password) {
            credentials = refresh -> Future.succeededFuture(
                    Optional.of(new Credential(user, password.getBytes(StandardCharsets.UTF_8))));
            return this;
        }

        private SessionOptions build() {
            List<SessionOptions.Address> addresses = new ArrayList<>();
            for (int port : ports) {
                addresses.add(new SessionOptions.Address(host, port));
            }
            return new SessionOptions(
                    addresses,
                    version,
                    "session-under-test",
                    keepAlive,
                    connectTimeout,
                    Duration.ofHours(1),
                    Duration.ofMillis(1),
                    Duration.ofMillis(40),
                    receiveMaximum,
                    maxPacketSize,
                    maxUnacknowledged,
                    uniquePayloads,
                    tls,
                    proxy,
                    will,
                    subscriptions);
        }
    }

    private SessionHarness(Options options) {
        MessageHandler handler = new MessageHandler() {
            @Override
            public void message(ReceivedMessage message) {
                if (failOnce) {
                    failOnce = false;
                    throw new IllegalStateException("a bug in the handler");
                }
                byte[] payload = new byte[message.payloadLength()];
                message.copyTo(payload, 0);
                received.add(new Received(
                        message.topic(),
                        message.qos(),
                        message.redelivered(),
                        message.retained(),
                        new String(payload, StandardCharsets.UTF_8)));
            }

            @Override
            public Set<String> filters() {
                return options.filters;
            }

            @Override
            public Future<Void> newSession() {
                return newSessions.incrementAndGet() > options.sessionsThatCannotBeWritten
                        ? Future.succeededFuture()
                        : Future.failedFuture("the disk is full");
            }

            @Override
            public Future<Void> endOfRead() {
                if (safeAtOnce) {
                    return Future.succeededFuture();
                }
                Promise<Void> promise = context.promise();
                reads.add(promise);
                return promise.future();
            }
        };
        session = new MqttSession(
                context,
                options.build(),
                options.credentials,
                handler,
                states::add,
                Clock.systemUTC(),
                RandomGenerator.getDefault());
        context.runOnContext(v -> session.start());
    }

    static SessionHarness start(Options options) {
        return new SessionHarness(options);
    }

    static SessionHarness start(int... ports) {
        Options options = new Options();
        options.ports = ports;
        return new SessionHarness(options);
    }

    SessionHarness safeAtOnce() {
        safeAtOnce = true;
        return this;
    }

    SessionHarness failOnce() {
        failOnce = true;
        return this;
    }

    Received next() {
        try {
            Received message = received.poll(5, TimeUnit.SECONDS);
            if (message == null) {
                throw new AssertionError("no message came");
            }
            return message;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    int pending() {
        return received.size();
    }

    /** Those that nobody has taken yet. */
    List<Promise<Void>> allReads() {
        List<Promise<Void>> all = new ArrayList<>();
        reads.drainTo(all);
        return all;
    }

    /** The oldest read that nobody has called safe. */
    Promise<Void> nextRead() {
        try {
            Promise<Void> read = reads.poll(5, TimeUnit.SECONDS);
            if (read == null) {
                throw new AssertionError("no read came");
            }
            return read;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    SessionStatus status() {
        Promise<SessionStatus> promise = Promise.promise();
        context.runOnContext(v -> promise.complete(session.status()));
        return promise.future().toCompletionStage().toCompletableFuture().join();
    }

    SessionHarness awaitState(SessionStatus.State state) {
        org.awaitility.Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> status().state() == state);
        return this;
    }

    Future<Void> change(Options options, boolean reconnect) {
        Promise<Void> promise = Promise.promise();
        context.runOnContext(v ->
                session.change(options.build(), options.credentials, reconnect).onComplete(promise));
        return promise.future();
    }

    /** Gives the session up, as a client without subscriptions. */
    Future<Void> retire(Duration atMost) {
        Options empty = new Options();
        empty.ports = new int[] {1};
        empty.subscriptions = List.of();
        Promise<Void> promise = Promise.promise();
        context.runOnContext(v -> session.retire(empty.build(), atMost).onComplete(promise));
        return promise.future();
    }

    List<SessionStatus> states() {
        return states;
    }

    void stopReading() {
        context.runOnContext(v -> session.stopReading());
    }

    void stop() {
        Promise<Void> promise = Promise.promise();
        context.runOnContext(v -> session.close().onComplete(promise));
        promise.future().toCompletionStage().toCompletableFuture().join();
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
