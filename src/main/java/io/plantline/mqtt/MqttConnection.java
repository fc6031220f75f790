package io.plantline.mqtt;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.net.NetSocketInternal;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One TCP connection to a broker: packets in, packets out, keep-alive. It knows no session; an object serves one
 * connection and is never used again.
 *
 * <p>This is the only class that touches Vert.x's internal socket, as Vert.x MQTT's own client does.
 */
final class MqttConnection {
    private static final Logger LOG = LoggerFactory.getLogger(MqttConnection.class);
    private static final int LARGEST_PACKET = 268_435_455;
    private static final long GRACE_MILLIS = 1_000;

    /** What a connection tells its session. */
    interface Events {
        void connAck(MqttConnection connection, MqttConnAckMessage packet);

        /** The broker speaks an older version only. */
        void versionRefused(MqttConnection connection);

        void publish(MqttConnection connection, MqttPublishMessage packet);

        void oversize(MqttConnection connection, OversizeMessage message);

        void pubRel(MqttConnection connection, int packetId);

        void subAck(MqttConnection connection, MqttSubAckMessage packet);

        void unsubAck(MqttConnection connection, int packetId);

        /** DISCONNECT from the broker, MQTT 5 only. */
        void disconnect(MqttConnection connection, int reason);

        void endOfRead(MqttConnection connection);

        void protocolError(MqttConnection connection, String what);

        /** The last call, exactly once. */
        void closed(MqttConnection connection, String why);
    }

    private final ContextInternal context;
    private final NetSocketInternal socket;
    private final ChannelHandlerContext channel;
    private final Events events;
    private final int version;
    private final Acknowledgements acknowledgements;
    private long lastReceivedNanos = System.nanoTime();
    private long lastPingNanos = System.nanoTime();
    private boolean reading = true;
    private int patienceMillis;
    private long keepAliveTimer = -1;
    private @Nullable String closingBecause;
    private boolean closed;

    MqttConnection(
            ContextInternal context,
            NetSocketInternal socket,
            int version,
            int maxPacketSize,
            int receiveMaximum,
            SessionCounters counters,
            Events events) {
        this.context = context;
        this.socket = socket;
        this.version = version;
        this.events = events;
        ChannelPipeline pipeline = socket.channelHandlerContext().pipeline();
        pipeline.addBefore("handler", "mqttGuard", new OversizeGuard(maxPacketSize, version));
        pipeline.addBefore("handler", "mqttDecoder", lenientDecoder());
        pipeline.addBefore("handler", "mqttEncoder", MqttEncoder.INSTANCE);
        pipeline.addBefore("handler", "mqttInbound", new Inbound(context, this));
        this.channel = pipeline.context("mqttInbound");
        this.acknowledgements = new Acknowledgements(channel, counters, new Pace(System::nanoTime), receiveMaximum);
        socket.exceptionHandler(e -> broken("I/O failed", e));
        socket.closeHandler(v -> onClosed());
    }

    /**
     * Takes a topic that is not quite UTF-8 with replacement characters. Ending the connection over it, as the
     * specification allows, would bring it back with the session for ever.
     */
    private static MqttDecoder lenientDecoder() {
        return new MqttDecoder(LARGEST_PACKET, 23, false);
    }

    int version() {
        return version;
    }

    Acknowledgements acknowledgements() {
        return acknowledgements;
    }

    void send(MqttMessage packet) {
        channel.writeAndFlush(packet);
    }

    /**
     * Starts to look after the connection: a PINGREQ twice an interval, whatever else is sent, because the broker may be
     * owed one while we only receive (MQTT 5.0 section 3.1.2.10); the end when the broker is silent for one and a half
     * intervals. A peer that vanished is found even while we send, because only what arrives counts. While we do not
     * read, silence says nothing, and TCP looks whether the peer is there.
     */
    void keepAlive(Duration interval) {
        patienceMillis = (int) Math.min(Integer.MAX_VALUE, interval.toMillis() * 3 / 2);
        long nanos = interval.toNanos();
        long tick = Math.max(10, interval.toMillis() / 8);
        keepAliveTimer = context.setPeriodic(tick, id -> {
            long now = System.nanoTime();
            if (reading && now - lastReceivedNanos >= nanos + nanos / 2 - tick * 1_000_000) {
                close("the broker was silent for one and a half keep-alive intervals");
            } else if (now - lastPingNanos >= nanos / 2 - tick * 500_000) {
                lastPingNanos = now;
                send(Packets.ping());
            }
        });
    }

    /** Takes nothing more from the socket for now; what is in flight can still be acknowledged. */
    void pauseReading() {
        reading = false;
        channel.channel().config().setAutoRead(false);
        giveUpUnsent(patienceMillis);
    }

    void resumeReading() {
        reading = true;
        lastReceivedNanos = System.nanoTime();
        channel.channel().config().setAutoRead(true);
        giveUpUnsent(0);
    }

    /**
     * How long TCP tries to send (RFC 5482); 0: as the system does, where there is no such option, too. Not while we read:
     * a broker that is too busy to take our acknowledgements closes its window and yet is there, and would only have
     * to send everything again to the next connection.
     */
    private void giveUpUnsent(int millis) {
        channel.channel().config().setOption(EpollChannelOption.TCP_USER_TIMEOUT, millis);
    }

    /**
     * Says good-bye; the session stays at the broker, unless it is to end (MQTT 5). The broker closes the connection (MQTT 5.0
     * section 3.14.4), and only if it does not, do we: a broker may drop acknowledgements that it has not read yet when
     * the socket goes first.
     */
    void disconnect(boolean endSession, String why) {
        disconnect(Packets.disconnect(version, endSession), why);
    }

    /** Says good-bye because of something that the broker did. */
    void disconnect(int reason, String why) {
        disconnect(Packets.disconnect(version, reason), why);
    }

    private void disconnect(MqttMessage packet, String why) {
        if (closingBecause != null) {
            return;
        }
        closingBecause = why;
        acknowledgements.finish();
        channel.write(packet);
        channel.flush();
        if (!reading) {
            resumeReading();
        }
        context.setTimer(GRACE_MILLIS, id -> closeNow());
    }

    void close(String why) {
        if (closingBecause == null) {
            closingBecause = why;
            acknowledgements.finish();
            socket.close();
            context.setTimer(GRACE_MILLIS, id -> closeNow());
        }
    }

    /** Past what waits to be written, which a peer that is gone would never take. */
    private void closeNow() {
        if (!closed) {
            channel.close();
        }
    }

    boolean isClosed() {
        return closed;
    }

    void broken(String what, Throwable cause) {
        LOG.debug("{}: {}", socket.remoteAddress(), what, cause);
        close(what + ": " + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
    }

    private void onClosed() {
        if (closed) {
            return;
        }
        closed = true;
        if (keepAliveTimer >= 0) {
            context.owner().cancelTimer(keepAliveTimer);
        }
        acknowledgements.close();
        events.closed(this, closingBecause == null ? "the broker closed the connection" : closingBecause);
    }

    void oversize(OversizeMessage message) {
        events.oversize(this, message);
    }

    /** A broker that knows no MQTT 5 answers its CONNECT in the older form, which the decoder would wait on for ever. */
    void refusedVersion() {
        events.versionRefused(this);
    }

    /** Since when nothing has arrived. */
    long silentMillis() {
        return (System.nanoTime() - lastReceivedNanos) / 1_000_000;
    }

    /** Bytes arrived, be it half a packet: the broker is there. */
    void endOfRead() {
        lastReceivedNanos = System.nanoTime();
        if (!closed) {
            events.endOfRead(this);
        }
    }

    void received(MqttMessage packet) {
        if (closed || closingBecause != null) {
            return;
        }
        if (packet.decoderResult().isFailure()) {
            Throwable cause = packet.decoderResult().cause();
            String what = "malformed packet: " + (cause == null ? "unknown" : cause.getMessage());
            events.protocolError(this, what);
            disconnect(0x81, what);
            return;
        }
        switch (packet.fixedHeader().messageType()) {
            case PUBLISH -> events.publish(this, (MqttPublishMessage) packet);
            case PUBREL -> events.pubRel(this, ((MqttMessageIdVariableHeader) packet.variableHeader()).messageId());
            case CONNACK -> events.connAck(this, (MqttConnAckMessage) packet);
            case SUBACK -> events.subAck(this, (MqttSubAckMessage) packet);
            case UNSUBACK -> events.unsubAck(this, ((MqttMessageIdVariableHeader) packet.variableHeader()).messageId());
            case PINGRESP -> {}
            case DISCONNECT ->
                events.disconnect(
                        this,
                        packet.variableHeader() instanceof MqttReasonCodeAndPropertiesVariableHeader header
                                ? header.reasonCode() & 0xFF
                                : 0);
            default -> {
                String what = "a broker does not send " + packet.fixedHeader().messageType();
                events.protocolError(this, what);
                disconnect(0x82, what);
            }
        }
    }
}
