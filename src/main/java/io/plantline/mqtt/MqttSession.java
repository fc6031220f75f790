package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.plantline.model.Backoff;
import io.plantline.model.Failure;
import io.plantline.mqtt.SessionStatus.State;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One persistent session with one broker, kept alive over any number of connections. Belongs to one event-loop context;
 * all of its calls and callbacks happen there.
 *
 * <p>The session comes back after every failure, with jittered exponential backoff, through its list of addresses. It
 * subscribes anew only where the broker has forgotten the session, or has never heard of it from this process.
 */
public final class MqttSession {
    private static final Logger LOG = LoggerFactory.getLogger(MqttSession.class);
    private static final Duration STABLE_AFTER = Duration.ofSeconds(10);
    private static final int SESSION_TAKEN_OVER = 0x8E;
    private static final Duration SILENCE = Duration.ofSeconds(2);

    private final ContextInternal context;
    private SessionOptions options;
    private final MessageHandler handler;
    private final Consumer<SessionStatus> listener;
    private final SessionCounters counters = new SessionCounters();
    private final Deliveries deliveries;
    private final Subscriber subscriber;
    private final Takeovers takeovers;
    private final Backoff backoff;
    private Dialer dialer;
    private final Clock clock;

    private State state = State.CLOSED;
    private String detail = "not started";
    private int version;
    private boolean knownToBroker;
    private boolean stopped;
    private @Nullable Instant lastSeen;
    private @Nullable Promise<Void> onClosed;
    private @Nullable MqttConnection connection;
    private boolean accepted;
    private long timer = -1;
    private boolean fellBack;
    private boolean unauthorised;
    private State beforePressure = State.SUBSCRIBED;
    private long connectedAtNanos;
    private @Nullable Promise<Void> reconnecting;
    private boolean retried;
    private boolean ending;

    /**
     * A session that is not started yet, on the current context.
     *
     * @param listener is told of every change of state
     */
    public MqttSession(
            ContextInternal context,
            SessionOptions options,
            CredentialSource credentials,
            MessageHandler handler,
            Consumer<SessionStatus> listener,
            Clock clock,
            RandomGenerator random) {
        this.context = context;
        this.options = options;
        this.handler = handler;
        this.listener = listener;
        this.clock = clock;
        this.version = options.version() == 0 ? 5 : options.version();
        this.deliveries = new Deliveries(options, handler, counters, clock);
        this.subscriber = new Subscriber(context, options, handler, this::subscribed);
        this.takeovers = new Takeovers();
        this.backoff = new Backoff(options.reconnectMin(), options.reconnectMax(), random);
        this.dialer = new Dialer(context.owner(), options, credentials);
    }

    /** Starts to connect. The session reports how it goes to its listener. */
    public void start() {
        connect();
    }

    public SessionStatus status() {
        return new SessionStatus(
                state, dialer.address().toString(), version, subscriber.degraded(), detail, counters.snapshot());
    }

    /**
     * Is to be otherwise from now on. Subscriptions change on the live connection; for anything else that the broker must
     * know, {@code reconnect} says so: then the new way is tried before the present connection is given up, and the session
     * lives on.
     *
     * @return completes when the broker has agreed, or when it cannot be asked now because there is no connection, or it is
     *     not read; fails if it refuses: the caller then says what shall be instead
     */
    public Future<Void> change(SessionOptions next, CredentialSource credentials, boolean reconnect) {
        if (!reconnect) {
            options = next;
            deliveries.change(next);
            return subscriber.change(next);
        }
        Dialer dialing = new Dialer(context.owner(), next, credentials);
        if (!accepted || connection == null) {
            return moveTo(next, dialing);
        }
        return dialing.probe().compose(v -> moveTo(next, dialing)).onFailure(e -> dialing.close());
    }

    /**
     * Reads the files with certificates again, for every connection from the next one on; the present one stays.
     *
     * @return fails if the broker cannot be reached with those of now, while it is with those of before, and then nothing has
     *     changed
     */
    public Future<Void> renew() {
        Dialer another = dialer.another();
        boolean connected = accepted && connection != null;
        return (connected ? another.probe() : Future.<Void>succeededFuture())
                .eventually(another::close)
                .onSuccess(v -> dialer.renew());
    }

    private Future<Void> moveTo(SessionOptions next, Dialer dialing) {
        knownToBroker &= next.addresses().equals(options.addresses());
        options = next;
        deliveries.change(next);
        Future<Void> subscriptions = subscriber.change(next);
        Dialer former = dialer;
        dialer = dialing;
        MqttConnection open = connection;
        if (open == null || !accepted) {
            // It is trying anyway, and goes on in the new way.
            if (open != null) {
                open.close("the configuration has changed");
            }
            return subscriptions.eventually(former::close);
        }
        Promise<Void> promise = context.promise();
        reconnecting = promise;
        retried = false;
        open.disconnect(false, "the configuration has changed");
        return promise.future()
                .timeout(next.connectTimeout().toMillis() * 3, TimeUnit.MILLISECONDS)
                .compose(v -> subscriptions)
                .eventually(() -> {
                    reconnecting = null;
                    return former.close();
                });
    }

    /**
     * Ends the session at the broker, once what it still has for us is here and acknowledged.
     *
     * @param empty without subscriptions
     * @param atMost after so long it ends even if messages still come
     * @return completes when the connection is closed
     */
    public Future<Void> retire(SessionOptions empty, Duration atMost) {
        options = empty;
        return subscriber.change(empty).compose(v -> silence(atMost)).compose(v -> {
            if (connection == null || !accepted) {
                LOG.error(
                        "MQTT-SESSION-LEFT: the session of {} cannot be ended, because there is no connection to {}; it"
                                + " gathers messages there until it expires or somebody ends it",
                        options.clientId(),
                        dialer.address());
            }
            ending = true;
            return close();
        });
    }

    /** Completes when nothing has come for a while, and all that came is acknowledged. */
    private Future<Void> silence(Duration atMost) {
        Promise<Void> silent = context.promise();
        long[] last = {counters.received, System.nanoTime()};
        long start = System.nanoTime();
        context.setPeriodic(SILENCE.toMillis() / 10, id -> {
            long now = System.nanoTime();
            if (counters.received != last[0] || deliveries.held() > 0) {
                last[0] = counters.received;
                last[1] = now;
            }
            if (connection == null || now - last[1] >= SILENCE.toNanos() || now - start >= atMost.toNanos()) {
                context.owner().cancelTimer(id);
                silent.complete();
            }
        });
        return silent.future();
    }

    /** Takes nothing more from the broker; what is in flight can still be acknowledged. */
    public void stopReading() {
        stopped = true;
        cancelTimer();
        if (connection != null) {
            connection.pauseReading();
        }
        become(State.DRAINING, "stopping");
    }

    /** Ends the connection and keeps the session at the broker. */
    public Future<Void> close() {
        stopped = true;
        cancelTimer();
        MqttConnection open = connection;
        if (open == null) {
            become(State.CLOSED, "stopped");
            return dialer.close();
        }
        Promise<Void> promise = context.promise();
        onClosed = promise;
        open.disconnect(ending, "stopped");
        return promise.future().compose(v -> dialer.close());
    }

    private void become(State next, String why) {
        if (state != next || !detail.equals(why)) {
            state = next;
            detail = why;
            listener.accept(status());
        }
    }

    // Connecting -----------------------------------------------------------------------------------------------------

    private void connect() {
        timer = -1;
        become(State.CONNECTING, "connecting");
        counters.connects++;
        dialer.dial().onComplete(dialed -> {
            if (dialed.succeeded()) {
                hello(dialed.result());
            } else {
                Failure failure = Failure.of(dialed.cause());
                retry(failure.code(), failure.detail());
            }
        });
    }

    private void hello(Dialer.Line line) {
        if (stopped) {
            line.socket().close();
            return;
        }
        MqttConnection opened =
                new MqttConnection(context, line.socket(), version, options.maxPacketSize(), counters, new Handler());
        connection = opened;
        accepted = false;
        unauthorised = false;
        connectedAtNanos = System.nanoTime();
        opened.send(Packets.connect(options, version, line.credential()));
        timer = context.setTimer(options.connectTimeout().toMillis(), id -> {
            timer = -1;
            opened.close("no CONNACK within " + options.connectTimeout().toMillis() + " ms");
        });
    }

    private void retry(String code, String why) {
        if (stopped) {
            become(State.CLOSED, "stopped");
            return;
        }
        boolean war = takeovers.isWar(clock.instant());
        long wait = backoff.nextMillis() + (war ? options.reconnectMax().toMillis() : 0);
        if (war) {
            LOG.error("MQTT-TAKEOVER: another client connects as {} again and again", options.clientId());
            become(State.TAKEN_OVER, why);
        } else {
            LOG.warn("{}: {} ({}), next attempt in {} ms", code, why, dialer.address(), wait);
            become(State.BACKING_OFF, why);
        }
        timer = context.setTimer(wait, id -> connect());
    }

    private void cancelTimer() {
        if (timer >= 0) {
            context.owner().cancelTimer(timer);
            timer = -1;
        }
    }

    // On the connection ----------------------------------------------------------------------------------------------

    private void onConnAck(MqttConnection from, MqttConnAckMessage packet) {
        int code = packet.variableHeader().connectReturnCode().byteValue() & 0xFF;
        if (accepted) {
            counters.protocolErrors++;
            from.disconnect(0x82, "a second CONNACK");
            return;
        }
        cancelTimer();
        if (code != 0) {
            refused(from, code);
            return;
        }
        accepted = true;
        boolean present = packet.variableHeader().isSessionPresent();
        from.keepAlive(keepAlive(packet.variableHeader().properties()));
        lastSeen = clock.instant();
        (present ? Future.<Void>succeededFuture() : forgotten())
                .onSuccess(v -> {
                    if (from == connection) {
                        subscriber.connected(from, packet.variableHeader().properties());
                    }
                })
                .onFailure(e -> from.close("the new session cannot be written down: " + e.getMessage()));
    }

    private Future<Void> forgotten() {
        deliveries.newSession();
        subscriber.forgotten();
        if (knownToBroker) {
            counters.sessionsLost++;
            LOG.error(
                    "MQTT-SESSION-LOST: the broker has no session for {}; what was published between {} and {} may be"
                            + " missing",
                    options.clientId(),
                    lastSeen,
                    clock.instant());
        }
        knownToBroker = false;
        return handler.newSession();
    }

    private Duration keepAlive(MqttProperties properties) {
        MqttProperties.MqttProperty<?> server = properties.getProperty(MqttProperties.SERVER_KEEP_ALIVE);
        return server != null && server.value() instanceof Integer seconds && seconds > 0
                ? Duration.ofSeconds(seconds)
                : options.keepAlive();
    }

    private void refused(MqttConnection from, int code) {
        boolean badVersion = code == 0x01 || code == 0x84;
        if (badVersion && fallBack(from)) {
            return;
        }
        unauthorised = code == 0x04 || code == 0x05 || code == 0x86 || code == 0x87;
        if (unauthorised) {
            dialer.refreshCredential();
        }
        from.close((unauthorised ? "not authorised, " : "refused, ") + "reason 0x" + Integer.toHexString(code));
    }

    /** Goes on with 3.1.1, if the configuration leaves that open. */
    private boolean fallBack(MqttConnection from) {
        if (options.version() != 0 || version != 5) {
            return false;
        }
        LOG.info("{} refuses MQTT 5, going on with 3.1.1", dialer.address());
        version = 4;
        fellBack = true;
        from.close("MQTT 5 refused");
        return true;
    }

    private void subscribed() {
        knownToBroker = true;
        String why = subscriber.hasAsked() ? "subscriptions made" : "session resumed";
        LOG.info(
                "subscribed at {} with MQTT {} as {}: {}{}",
                dialer.address(),
                version == 5 ? "5" : "3.1.1",
                options.clientId(),
                why,
                subscriber.degraded().isEmpty() ? "" : "; DEGRADED: " + subscriber.degraded());
        become(subscriber.degraded().isEmpty() ? State.SUBSCRIBED : State.DEGRADED, why);
        Promise<Void> waiting = reconnecting;
        if (waiting != null) {
            waiting.tryComplete();
        }
    }

    private void onClose(MqttConnection from, String why) {
        if (from != connection) {
            return;
        }
        deliveries.endOfRead(from, this::onFreed);
        connection = null;
        cancelTimer();
        subscriber.interrupted();
        dialer.disconnected();
        if (accepted) {
            lastSeen = clock.instant();
            if (System.nanoTime() - connectedAtNanos > STABLE_AFTER.toNanos()) {
                backoff.reset();
            }
        } else if (!fellBack) {
            dialer.tryNextAddress();
        }
        fellBack = false;
        Promise<Void> closing = onClosed;
        if (stopped) {
            become(State.CLOSED, "stopped");
            if (closing != null) {
                closing.tryComplete();
            }
        } else if (reconnecting != null && !retried) {
            retried = true;
            connect();
        } else {
            retry(unauthorised ? "MQTT-AUTH" : "MQTT-DISCONNECTED", why);
        }
    }

    /** Stops reading when more is held than allowed; what is held goes on to be acknowledged on this connection. */
    private void onRead(MqttConnection from) {
        deliveries.endOfRead(from, this::onFreed);
        if (deliveries.isOverBound() && !stopped && state != State.PRESSURE && from == connection) {
            LOG.warn(
                    "MQTT-PRESSURE: {} bytes wait for their targets, reading no more until half are safe",
                    deliveries.held());
            beforePressure = state;
            from.pauseReading();
            subscriber.interrupted();
            become(State.PRESSURE, "too much waits for its targets");
        }
    }

    private void onFreed() {
        MqttConnection open = connection;
        if (state == State.PRESSURE
                && open != null
                && !stopped
                && deliveries.held() <= options.maxUnacknowledged() / 2) {
            LOG.info("pressure is over, reading on");
            open.resumeReading();
            become(beforePressure, "pressure is over");
            subscriber.resumed(open);
        }
    }

    /** What the current connection tells us; a connection that is not the current one has nothing more to say. */
    private final class Handler implements MqttConnection.Events {
        @Override
        public void connAck(MqttConnection from, MqttConnAckMessage packet) {
            onConnAck(from, packet);
        }

        @Override
        public void versionRefused(MqttConnection from) {
            if (!fallBack(from)) {
                from.close("the broker does not speak MQTT 5");
            }
        }

        @Override
        public void publish(MqttConnection from, MqttPublishMessage packet) {
            deliveries.take(from, packet);
        }

        @Override
        public void oversize(MqttConnection from, OversizeMessage message) {
            deliveries.skip(from, message);
        }

        @Override
        public void pubRel(MqttConnection from, int packetId) {
            deliveries.release(from, packetId);
        }

        @Override
        public void subAck(MqttConnection from, MqttSubAckMessage packet) {
            subscriber.subAck(
                    packet.variableHeader().messageId(), packet.payload().reasonCodes());
        }

        @Override
        public void unsubAck(MqttConnection from, int packetId) {
            subscriber.unsubAck(packetId);
        }

        @Override
        public void disconnect(MqttConnection from, int reason) {
            if (reason == SESSION_TAKEN_OVER) {
                counters.takeovers++;
                takeovers.happened(clock.instant());
            }
            from.close("the broker sent DISCONNECT, reason 0x" + Integer.toHexString(reason));
        }

        @Override
        public void endOfRead(MqttConnection from) {
            onRead(from);
        }

        @Override
        public void protocolError(MqttConnection from, String what) {
            counters.protocolErrors++;
            LOG.warn("MQTT-PROTOCOL: {} from {}", what, dialer.address());
        }

        @Override
        public void closed(MqttConnection from, String why) {
            onClose(from, why);
        }
    }
}
