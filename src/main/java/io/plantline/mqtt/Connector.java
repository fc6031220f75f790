package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.plantline.model.Backoff;
import io.plantline.model.Failure;
import io.plantline.mqtt.SessionStatus.State;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that a session has a connection that its broker has accepted: dials, says hello, and after every failure does so
 * again, with jittered exponential backoff, through the list of addresses. Used on the context of the session.
 */
final class Connector {
    private static final Logger LOG = LoggerFactory.getLogger(Connector.class);
    private static final Duration STABLE_AFTER = Duration.ofSeconds(10);
    private static final int SESSION_TAKEN_OVER = 0x8E;

    private final ContextInternal context;
    private final SessionCounters counters;
    private final MqttConnection.Events handler;
    private final Events events;
    private final Clock clock;
    private final Takeovers takeovers = new Takeovers();
    private final Backoff backoff;
    private SessionOptions options;
    private Dialer dialer;
    private int version;

    private @Nullable MqttConnection connection;
    private boolean accepted;
    private long connectedAtNanos;
    private long timer = -1;
    private boolean fellBack;
    private boolean unauthorised;

    private @Nullable Promise<Void> moving;
    private boolean retried;
    private boolean stopped;
    private @Nullable Promise<Void> closing;

    /** What a session hears of the way to its broker. */
    interface Events {
        void become(State state, String why);

        void accepted(MqttConnection connection, boolean sessionPresent, MqttProperties properties);

        /** The connection is gone. */
        void closed(MqttConnection connection, boolean wasAccepted);
    }

    /**
     * Not connected yet.
     *
     * @param handler of what comes on connections; it tells the connector what that must know
     */
    Connector(
            ContextInternal context,
            SessionOptions options,
            CredentialSource credentials,
            SessionCounters counters,
            MqttConnection.Events handler,
            Events events,
            Clock clock,
            RandomGenerator random) {
        this.context = context;
        this.options = options;
        this.counters = counters;
        this.handler = handler;
        this.events = events;
        this.clock = clock;
        this.version = options.version() == 0 ? 5 : options.version();
        this.backoff = new Backoff(options.reconnectMin(), options.reconnectMax(), random);
        this.dialer = new Dialer(context.owner(), options, credentials);
    }

    /** The connection there is, accepted or not. */
    @Nullable
    MqttConnection connection() {
        return connection;
    }

    /** Whether there is a connection that the broker has accepted. */
    boolean isLive() {
        return connection != null && accepted;
    }

    /** Nothing more is wanted of the broker. */
    boolean isStopped() {
        return stopped;
    }

    SessionOptions.Address address() {
        return dialer.address();
    }

    /** That is spoken: 5, or 4 for 3.1.1. */
    int version() {
        return version;
    }

    // Connecting -----------------------------------------------------------------------------------------------------

    void connect() {
        timer = -1;
        events.become(State.CONNECTING, "connecting");
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
        MqttConnection opened = new MqttConnection(
                context, line.socket(), version, options.maxPacketSize(), options.receiveMaximum(), counters, handler);
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

    void connAck(MqttConnection from, MqttConnAckMessage packet) {
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
        MqttProperties properties = packet.variableHeader().properties();
        from.keepAlive(keepAlive(properties));
        events.accepted(from, packet.variableHeader().isSessionPresent(), properties);
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

    /** The broker hangs up where it should have said that it does not speak MQTT 5. */
    void versionRefused(MqttConnection from) {
        if (!fallBack(from)) {
            from.close("the broker does not speak MQTT 5");
        }
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

    /** The broker ends the connection. */
    void disconnected(MqttConnection from, int reason) {
        if (reason == SESSION_TAKEN_OVER) {
            counters.takeovers++;
            takeovers.happened(clock.instant());
        }
        from.close("the broker sent DISCONNECT, reason 0x" + Integer.toHexString(reason));
    }

    void closed(MqttConnection from, String why) {
        if (from != connection) {
            return;
        }
        connection = null;
        cancelTimer();
        events.closed(from, accepted);
        dialer.disconnected();
        if (accepted) {
            if (System.nanoTime() - connectedAtNanos > STABLE_AFTER.toNanos()) {
                backoff.reset();
            }
        } else if (!fellBack) {
            dialer.tryNextAddress();
        }
        fellBack = false;
        if (stopped) {
            events.become(State.CLOSED, "stopped");
            if (closing != null) {
                closing.tryComplete();
            }
        } else if (moving != null && !retried) {
            retried = true;
            connect();
        } else {
            retry(unauthorised ? "MQTT-AUTH" : "MQTT-DISCONNECTED", why);
        }
    }

    private void retry(String code, String why) {
        if (stopped) {
            events.become(State.CLOSED, "stopped");
            return;
        }
        boolean war = takeovers.isWar(clock.instant());
        long wait = backoff.nextMillis() + (war ? options.reconnectMax().toMillis() : 0);
        if (war) {
            LOG.error("MQTT-TAKEOVER: another client connects as {} again and again", options.clientId());
            events.become(State.TAKEN_OVER, why);
        } else {
            LOG.warn("{}: {} ({}), next attempt in {} ms", code, why, dialer.address(), wait);
            events.become(State.BACKING_OFF, why);
        }
        timer = context.setTimer(wait, id -> connect());
    }

    private void cancelTimer() {
        if (timer >= 0) {
            context.owner().cancelTimer(timer);
            timer = -1;
        }
    }

    // Changing -------------------------------------------------------------------------------------------------------

    /** What holds for the session from now on and needs no other connection. */
    void change(SessionOptions next) {
        options = next;
    }

    /**
     * Whether the broker can be reached in another way; if there is no connection now, that is no condition.
     *
     * @return fails if it cannot, while it can in the present one
     */
    Future<Void> probe(Dialer dialing) {
        return isLive() ? dialing.probe() : Future.succeededFuture();
    }

    /**
     * Goes on in another way.
     *
     * @return completes when the session is subscribed there; at once, if there is no connection now: it is trying anyway, and
     *     goes on in the new way
     */
    Future<Void> moveTo(SessionOptions next, Dialer dialing) {
        options = next;
        Dialer former = dialer;
        dialer = dialing;
        MqttConnection open = connection;
        if (open == null || !accepted) {
            if (open != null) {
                open.close("the configuration has changed");
            }
            return former.close();
        }
        Promise<Void> promise = context.promise();
        moving = promise;
        retried = false;
        open.disconnect(false, "the configuration has changed");
        return promise.future()
                .timeout(next.connectTimeout().toMillis() * 3, TimeUnit.MILLISECONDS)
                .eventually(() -> {
                    moving = null;
                    return former.close();
                });
    }

    /** The session is subscribed. */
    void subscribed() {
        if (moving != null) {
            moving.tryComplete();
        }
    }

    /** Another way to the same place, with the certificates of now, which the next connection uses if it leads there. */
    Future<Void> renew() {
        Dialer another = dialer.another();
        return probe(another).eventually(another::close).map(v -> {
            dialer.renew();
            return null;
        });
    }

    // Ending ---------------------------------------------------------------------------------------------------------

    /** No connection is made any more. */
    void stop() {
        stopped = true;
        cancelTimer();
    }

    /**
     * Ends the connection.
     *
     * @param ending the session at the broker, too
     */
    Future<Void> close(boolean ending) {
        stop();
        MqttConnection open = connection;
        if (open == null) {
            events.become(State.CLOSED, "stopped");
            return dialer.close();
        }
        Promise<Void> promise = context.promise();
        closing = promise;
        open.disconnect(ending, "stopped");
        return promise.future().compose(v -> dialer.close());
    }
}
