package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.plantline.mqtt.SessionStatus.State;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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

    private final ContextInternal context;
    private SessionOptions options;
    private final MessageHandler handler;
    private final Consumer<SessionStatus> listener;
    private final SessionCounters counters = new SessionCounters();
    private final Deliveries deliveries;
    private final Subscriber subscriber;
    private final Connector connector;
    private final Clock clock;

    private State state = State.CLOSED;
    private String detail = "not started";
    private boolean knownToBroker;
    /** Whether the broker has a session that is not written down. */
    private boolean unwritten;

    private @Nullable Instant lastSeen;
    private List<String> toldDegraded = List.of();
    private long toldExpiry = -1;
    private State beforePressure = State.SUBSCRIBED;

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
        this.knownToBroker = !handler.filters().isEmpty();
        this.deliveries = new Deliveries(options, handler, counters, clock);
        this.subscriber = new Subscriber(context, options, handler, this::subscribed);
        this.connector =
                new Connector(context, options, credentials, counters, new Handler(), new Events(), clock, random);
    }

    /** Starts to connect. The session reports how it goes to its listener. */
    public void start() {
        connector.connect();
    }

    public SessionStatus status() {
        return new SessionStatus(
                state,
                connector.address().toString(),
                connector.version(),
                subscriber.degraded(),
                detail,
                counters.snapshot());
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
            return agree(next);
        }
        Dialer dialing = new Dialer(context.owner(), next, credentials);
        return connector
                .probe(dialing)
                .recover(e -> dialing.close().transform(v -> Future.failedFuture(e)))
                .compose(v -> {
                    knownToBroker &= next.addresses().equals(options.addresses());
                    Future<Void> subscriptions = agree(next);
                    return connector.moveTo(next, dialing).compose(there -> subscriptions);
                });
    }

    private Future<Void> agree(SessionOptions next) {
        options = next;
        connector.change(next);
        deliveries.change(next);
        return subscriber.change(next);
    }

    /**
     * Reads the files with certificates again, for every connection from the next one on; the present one stays.
     *
     * @return fails if the broker cannot be reached with those of now, while it is with those of before, and then nothing has
     *     changed
     */
    public Future<Void> renew() {
        return connector.renew();
    }

    /**
     * Ends the session at the broker, once what it still has for us is here and acknowledged.
     *
     * @param empty without subscriptions
     * @param atMost after so long it stays there, if messages still come
     * @return completes when the connection is closed
     */
    public Future<Void> retire(SessionOptions empty, Duration atMost) {
        options = empty;
        return subscriber
                .change(empty)
                .compose(v -> {
                    Promise<Boolean> silent = context.promise();
                    new Silence(connector, counters, deliveries, subscriber).await(context, atMost, silent);
                    return silent.future();
                })
                .compose(silent -> {
                    // To end it before it is silent is to throw away what the broker still has.
                    if (!silent && !connector.isStopped()) {
                        LOG.error(
                                "MQTT-SESSION-LEFT: the session of {} at {} is not ended, because {}; it keeps what it has"
                                        + " there until it expires, or a client with this identifier takes it",
                                options.clientId(),
                                connector.address(),
                                connector.isLive()
                                        ? "messages still came after " + atMost.toSeconds() + " s"
                                        : "there is no connection");
                    }
                    return connector.close(silent);
                });
    }

    /** Takes nothing more from the broker; what is in flight can still be acknowledged. */
    public void stopReading() {
        connector.stop();
        MqttConnection open = connector.connection();
        if (open != null) {
            open.pauseReading();
        }
        become(State.DRAINING, "stopping");
    }

    /** Ends the connection and keeps the session at the broker. */
    public Future<Void> close() {
        return connector.close(false);
    }

    private void become(State next, String why) {
        if (state != next || !detail.equals(why)) {
            state = next;
            detail = why;
            listener.accept(status());
        }
    }

    // On the connection ----------------------------------------------------------------------------------------------

    private void accepted(MqttConnection from, boolean present, MqttProperties properties) {
        // A session that the broker has made, and that could not be written down, is new also when it is there next
        // time.
        (present && !unwritten ? Future.<Void>succeededFuture() : forgotten())
                .onSuccess(v -> {
                    if (from == connector.connection()) {
                        subscriber.connected(from, properties);
                    }
                })
                .onFailure(e -> from.close("the new session cannot be written down: " + e.getMessage()));
        lastSeen = clock.instant();
        warnOfExpiry(properties);
    }

    /** A broker may keep a session for less long than it is asked to (MQTT 5.0, 3.2.2.3.2), and forgets it then without a word. */
    private void warnOfExpiry(MqttProperties properties) {
        MqttProperties.MqttProperty<?> granted = properties.getProperty(MqttProperties.SESSION_EXPIRY_INTERVAL);
        if (granted != null && granted.value() instanceof Integer seconds) {
            long kept = Integer.toUnsignedLong(seconds);
            if (kept < options.sessionExpiry().toSeconds() && kept != toldExpiry) {
                toldExpiry = kept;
                LOG.warn(
                        "MQTT-SESSION-EXPIRY: {} keeps the session of {} for {} s without a connection, not for {}: what is"
                                + " published in a longer absence is lost",
                        connector.address(),
                        options.clientId(),
                        kept,
                        options.sessionExpiry().toSeconds());
            }
        }
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
                    lastSeen == null ? "the end of the process before this one" : lastSeen,
                    clock.instant());
        }
        knownToBroker = false;
        unwritten = true;
        return handler.newSession().onSuccess(v -> unwritten = false);
    }

    private void subscribed() {
        knownToBroker = true;
        List<String> degraded = subscriber.degraded();
        if (state == State.DEGRADED && degraded.equals(toldDegraded)) {
            return; // It was asked again, and nothing is better.
        }
        toldDegraded = degraded;
        String why = subscriber.hasAsked() ? "subscriptions made" : "session resumed";
        LOG.info(
                "subscribed at {} with MQTT {} as {}: {}{}",
                connector.address(),
                connector.version() == 5 ? "5" : "3.1.1",
                options.clientId(),
                why,
                degraded.isEmpty() ? "" : "; DEGRADED: " + degraded);
        become(degraded.isEmpty() ? State.SUBSCRIBED : State.DEGRADED, why);
        connector.subscribed();
    }

    private void closed(MqttConnection from, boolean wasAccepted) {
        deliveries.endOfRead(from, this::onFreed);
        subscriber.interrupted();
        if (wasAccepted) {
            lastSeen = clock.instant();
        }
    }

    /** Stops reading when more is held than allowed; what is held goes on to be acknowledged on this connection. */
    private void onRead(MqttConnection from) {
        deliveries.endOfRead(from, this::onFreed);
        if (deliveries.isOverBound()
                && !connector.isStopped()
                && state != State.PRESSURE
                && from == connector.connection()) {
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
        MqttConnection open = connector.connection();
        if (state == State.PRESSURE
                && open != null
                && !connector.isStopped()
                && deliveries.held() <= options.maxUnacknowledged() / 2) {
            LOG.info("pressure is over, reading on");
            open.resumeReading();
            become(beforePressure, "pressure is over");
            subscriber.resumed(open);
        }
    }

    /** What becomes of connections. */
    private final class Events implements Connector.Events {
        @Override
        public void become(State next, String why) {
            MqttSession.this.become(next, why);
        }

        @Override
        public void accepted(MqttConnection connection, boolean sessionPresent, MqttProperties properties) {
            MqttSession.this.accepted(connection, sessionPresent, properties);
        }

        @Override
        public void closed(MqttConnection connection, boolean wasAccepted) {
            MqttSession.this.closed(connection, wasAccepted);
        }
    }

    /** What the current connection tells us; a connection that is not the current one has nothing more to say. */
    private final class Handler implements MqttConnection.Events {
        @Override
        public void connAck(MqttConnection from, MqttConnAckMessage packet) {
            connector.connAck(from, packet);
        }

        @Override
        public void versionRefused(MqttConnection from) {
            connector.versionRefused(from);
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
            connector.disconnected(from, reason);
        }

        @Override
        public void endOfRead(MqttConnection from) {
            onRead(from);
        }

        @Override
        public void protocolError(MqttConnection from, String what) {
            counters.protocolErrors++;
            LOG.warn("MQTT-PROTOCOL: {} from {}", what, connector.address());
        }

        @Override
        public void closed(MqttConnection from, String why) {
            connector.closed(from, why);
        }
    }
}
