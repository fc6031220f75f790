package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.plantline.model.Fingerprint;
import io.plantline.model.Fingerprints;
import io.vertx.core.Future;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to the messages of a session, over all its connections: hand them on once, hold what is not safe within
 * a bound, acknowledge what is.
 *
 * <p>QoS 2 (MQTT 5.0 section 4.3.3): an identifier is remembered from receipt to PUBREL. While it is, a PUBLISH with it
 * is a copy and waits for the original, on whatever connection it came.
 */
final class Deliveries {
    private static final Logger LOG = LoggerFactory.getLogger(Deliveries.class);

    /** Bytes that a message takes beside its packet, roughly. */
    private static final int OVERHEAD = 64;

    /** Bytes that the messages of one read take beside those, however few they are. */
    private static final int READ_OVERHEAD = 512;

    /** Marks a released identifier that nobody knows. */
    private static final int UNKNOWN = 1 << 16;

    private SessionOptions options;
    private final MessageHandler handler;
    private final SessionCounters counters;
    private final Clock clock;
    private final ReceivedMessage message = new ReceivedMessage();
    private final List<Integer> releases = new ArrayList<>();
    private final Map<Integer, Receipt> qos2 = new HashMap<>();
    private final Fingerprinter fingerprinter = new Fingerprinter();

    /** Of the messages in {@link #qos2}, if messages are known by their contents. */
    private final Fingerprints contents = new Fingerprints();

    private @Nullable Receipt current;
    private @Nullable MqttConnection currentConnection;
    private boolean handed;
    private @Nullable Throwable unsafe;
    private long held;
    private long nowMicros;

    Deliveries(SessionOptions options, MessageHandler handler, SessionCounters counters, Clock clock) {
        this.options = options;
        this.handler = handler;
        this.counters = counters;
        this.clock = clock;
    }

    /** Bounds are others from now on. */
    void change(SessionOptions next) {
        options = next;
    }

    /** The broker has forgotten the session: its identifiers mean nothing any more. */
    void newSession() {
        qos2.clear();
        contents.clear();
    }

    /** Bytes that are not safe yet. */
    long held() {
        return held;
    }

    /** Takes one message; QoS 0 beyond the bound is shed. */
    void take(MqttConnection connection, MqttPublishMessage packet) {
        int qos = packet.fixedHeader().qosLevel().value();
        int packetId = packet.variableHeader().packetId();
        counters.received++;
        if (packet.fixedHeader().isDup()) {
            counters.redelivered++;
        }
        int size = packet.fixedHeader().remainingLength() + OVERHEAD;
        if (qos == 0 && held > 0 && held + size > options.maxUnacknowledged()) {
            counters.qos0Shed++;
            return;
        }
        Receipt receipt = receipt(connection);
        Fingerprint content = qos == 2 && options.uniquePayloads() ? fingerprinter.of(packet) : null;
        Receipt original = qos == 2 ? original(packetId, packet.fixedHeader().isDup(), content) : null;
        if (original != null) {
            counters.duplicatesSuppressed++;
            receipt.add(packetId, qos);
            receipt.waitFor(original);
            if (content != null) {
                isNow(packetId, content, receipt);
            }
            return;
        }
        held += size;
        receipt.addBytes(size);
        if (qos > 0) {
            receipt.add(packetId, qos);
            if (connection.acknowledgements().unacknowledged() > options.receiveMaximum()) {
                counters.receiveMaximumOverruns++;
            }
        }
        if (qos == 2) {
            remember(packetId, content, receipt);
        }
        if (nowMicros == 0) {
            Instant now = clock.instant();
            nowMicros = now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
        }
        handed = true;
        try {
            handler.message(message.pointAt(packet, packet.variableHeader().topicName(), qos, nowMicros, content));
        } catch (RuntimeException | Error e) {
            unsafe = e;
            throw e;
        } finally {
            message.forget();
        }
    }

    /** What holds the message that this one is a copy of; null: it is none. */
    private @Nullable Receipt original(int packetId, boolean dup, @Nullable Fingerprint content) {
        // Without DUP it is another message: a broker that numbers anew when it sends again (Artemis does, against
        // MQTT-4.4.0-1) never releases the old identifier. Such a copy can be known by its content alone.
        Receipt original = dup ? qos2.get(packetId) : null;
        return original != null || content == null ? original : qos2.get(contents.packetIdOf(content));
    }

    private void remember(int packetId, @Nullable Fingerprint content, Receipt receipt) {
        qos2.put(packetId, receipt);
        if (content == null) {
            contents.remove(packetId);
        } else {
            contents.put(packetId, content);
        }
    }

    /** A message has another identifier from now on, and waits with its copy. */
    private void isNow(int packetId, Fingerprint content, Receipt copy) {
        int before = contents.packetIdOf(content);
        if (before != 0 && before != packetId) {
            handler.sentAgain(packetId, before);
            forget(before);
            remember(packetId, content, copy);
        }
    }

    private void forget(int packetId) {
        qos2.remove(packetId);
        contents.remove(packetId);
    }

    /** Whether more is held than the bound allows. */
    boolean isOverBound() {
        return held > options.maxUnacknowledged();
    }

    /** A message that is larger than we take is acknowledged and told of, or it would come again for ever. */
    void skip(MqttConnection connection, OversizeMessage oversize) {
        counters.oversize++;
        LOG.warn(
                "MQTT-OVERSIZE: skipped a message of {} bytes on {} (QoS {}); max-packet-size is {}",
                oversize.size(),
                oversize.topic(),
                oversize.qos(),
                options.maxPacketSize());
        if (oversize.qos() > 0) {
            Receipt receipt = receipt(connection);
            receipt.add(oversize.packetId(), oversize.qos());
            if (oversize.qos() == 2) {
                remember(oversize.packetId(), null, receipt);
            }
        }
    }

    /** PUBREL ends the identifier; one we do not know is answered all the same, or its slot stays taken for ever. */
    void release(MqttConnection connection, int packetId) {
        boolean unknown = !qos2.containsKey(packetId) && !handler.remembers(packetId);
        forget(packetId);
        if (unknown) {
            counters.unknownPubrel++;
        }
        connection.acknowledgements().released(packetId);
        releases.add(packetId | (unknown && connection.version() == 5 ? UNKNOWN : 0));
    }

    /** PUBCOMP leaves when the identifiers are forgotten durably: a crash between must not make them known again. */
    private void answerReleases(MqttConnection connection) {
        if (releases.isEmpty()) {
            return;
        }
        int[] answers = releases.stream().mapToInt(Integer::intValue).toArray();
        releases.clear();
        handler.released(Arrays.stream(answers).map(answer -> answer & ~UNKNOWN).toArray())
                .onSuccess(v -> {
                    for (int answer : answers) {
                        connection.acknowledgements().complete(answer & ~UNKNOWN, (answer & UNKNOWN) != 0);
                    }
                })
                .onFailure(e -> connection.close("identifiers could not be released: " + e));
    }

    private Receipt receipt(MqttConnection connection) {
        if (current == null || currentConnection != connection) {
            current = new Receipt(connection.acknowledgements());
            currentConnection = connection;
            current.addBytes(READ_OVERHEAD);
            held += READ_OVERHEAD;
        }
        return current;
    }

    /**
     * The socket is drained for now: what was handed on becomes safe when the handler says so.
     *
     * @param from the connection that was read
     * @param freed called whenever something became safe
     */
    void endOfRead(MqttConnection from, Runnable freed) {
        answerReleases(from);
        Receipt receipt = current;
        MqttConnection connection = currentConnection;
        nowMicros = 0;
        if (receipt == null || connection == null) {
            return;
        }
        current = null;
        currentConnection = null;
        if (!handed) {
            held -= receipt.bytes();
            receipt.arrived();
            return;
        }
        handed = false;
        Throwable failed = unsafe;
        unsafe = null;
        sealed().onComplete(safe -> {
            held -= receipt.bytes();
            if (failed == null && safe.succeeded()) {
                receipt.arrived();
            } else {
                Throwable cause = failed == null ? safe.cause() : failed;
                LOG.warn(
                        "MQTT-NOT-KEPT: messages could not be kept, the broker will send them again: {}",
                        cause.toString());
                receipt.fail(this::forget);
                connection.close("messages could not be kept");
            }
            freed.run();
        });
    }

    private Future<Void> sealed() {
        try {
            return handler.endOfRead();
        } catch (RuntimeException | Error e) {
            return Future.failedFuture(e);
        }
    }

    /** What was not kept must come again, so its identifiers are not known. */
    private void forget(Receipt receipt) {
        for (int i = 0; i < receipt.count(); i++) {
            if (receipt.qos(i) == 2) {
                int packetId = receipt.packetId(i);
                if (qos2.get(packetId) == receipt) {
                    forget(packetId);
                }
            }
        }
    }
}
