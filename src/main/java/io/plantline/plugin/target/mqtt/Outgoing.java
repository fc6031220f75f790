package io.plantline.plugin.target.mqtt;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.spi.BatchReader;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.mqtt.MqttClient;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The publishes of one connection: its own window, and the way from packet identifiers back to messages. A window that is full is
 * filled again when half of it is free: a message for each acknowledgement would make small writes of small reads, and of those
 * small reads again (the silly window of RFC 813, section 4).
 */
final class Outgoing {
    private static final int MAX_TOPIC_BYTES = 65_535;

    private final Vertx vertx;
    private final MqttTargetConfig config;
    private final Suspects suspects;
    private final MqttQoS qos;
    private final Map<Integer, Sent> inFlight = new HashMap<>();
    private final ArrayDeque<Run> runs = new ArrayDeque<>();
    private int window;
    private @Nullable MqttClient client;
    private boolean closed;
    private long lastProgressNanos;
    private long silenceCheck = -1;

    Outgoing(Vertx vertx, MqttTargetConfig config, Suspects suspects) {
        this.vertx = vertx;
        this.config = config;
        this.suspects = suspects;
        this.qos = MqttQoS.valueOf(config.qos());
    }

    void attach(MqttClient opened) {
        client = opened;
    }

    /** The connection stands: from now on a broker that owes something and stays silent is left. */
    void connected() {
        silenceCheck = vertx.setPeriodic(Math.max(100, config.timeout().toMillis() / 4), id -> {
            if (!runs.isEmpty()
                    && System.nanoTime() - lastProgressNanos > config.timeout().toNanos()) {
                client().disconnect();
                closed();
            }
        });
    }

    private MqttClient client() {
        return Objects.requireNonNull(client);
    }

    /** Acknowledgements that are due. */
    int awaited() {
        return window;
    }

    /** A message on its way. */
    private record Sent(Run run, int ordinal) {}

    /** Sends the pending messages of a plan; completes when each is acknowledged or cannot be any more. */
    Future<Verdicts> publish(PublishBatch batch) {
        Run run = new Run(batch);
        runs.add(run);
        lastProgressNanos = System.nanoTime();
        run.promise.future().onComplete(done -> runs.remove(run));
        run.send();
        return run.promise.future();
    }

    /** PUBACK or PUBCOMP. */
    void acknowledged(int packetId) {
        Sent sent = inFlight.remove(packetId);
        if (sent != null) {
            window--;
            lastProgressNanos = System.nanoTime();
            sent.run.delivered(sent.ordinal);
            if (window <= config.maxInFlight() / 2) {
                for (Run run : runs.toArray(Run[]::new)) {
                    run.send();
                }
            }
            sent.run.finishIfDone();
        }
    }

    /** What was not acknowledged will not be here. */
    void closed() {
        closed = true;
        vertx.cancelTimer(silenceCheck);
        for (Run run : runs.toArray(Run[]::new)) {
            run.connectionLost();
        }
    }

    /** One plan. */
    private final class Run {
        private final PublishBatch batch;
        private final BatchReader reader;
        private final Promise<Verdicts> promise = Promise.promise();
        private final Verdicts.Collector verdicts = new Verdicts.Collector();
        private final BitSet open = new BitSet();
        private @Nullable MessageCursor cursor;
        private int ordinal = -1;
        private boolean allSent;
        private boolean reading;
        private boolean progressed;
        private boolean alone;
        private String lastTopic = "";
        private int lastBytes;

        Run(PublishBatch batch) {
            this.batch = batch;
            this.reader = batch.reader();
            this.alone = suspects.isAlone(batch.plan());
        }

        void send() {
            while (!allSent && !closed && window < config.maxInFlight() && !(alone && !open.isEmpty())) {
                MessageCursor at = cursor;
                if (at != null && at.next()) {
                    ordinal++;
                    if (batch.isPending(ordinal)) {
                        sendOne(at, ordinal);
                    }
                } else if (!nextPiece()) {
                    return;
                }
            }
            finishIfDone();
        }

        private boolean nextPiece() {
            if (reading) {
                return false;
            }
            Future<MessageBatch> next = reader.next();
            if (next.isComplete()) {
                return take(next);
            }
            reading = true;
            next.onComplete(done -> {
                reading = false;
                if (take(next)) {
                    send();
                }
            });
            return false;
        }

        private boolean take(Future<MessageBatch> next) {
            if (next.failed()) {
                promise.tryFail(next.cause());
                return false;
            }
            allSent = next.result().count() == 0;
            cursor = next.result().cursor();
            return true;
        }

        private void sendOne(MessageCursor message, int at) {
            String topic = config.topicFor(message.topic());
            lastTopic = topic;
            lastBytes = packetBytes(topic, message.payloadLength());
            Failure impossible = impossible(topic, lastBytes);
            if (impossible != null) {
                verdicts.refuse(at, impossible);
                return;
            }
            boolean retain = config.retain() == MqttTargetConfig.Retain.ALWAYS
                    || (config.retain() == MqttTargetConfig.Retain.AS_RECEIVED && message.retained());
            Buffer payload = Buffer.buffer(message.payloadLength());
            payload.appendBytes(message.array(), message.payloadOffset(), message.payloadLength());
            open.set(at);
            window++;
            client().publish(topic, payload, qos, false, retain)
                    .onSuccess(packetId -> {
                        if (qos == MqttQoS.AT_MOST_ONCE) {
                            window--;
                            delivered(at);
                            send();
                        } else {
                            inFlight.put(packetId, new Sent(this, at));
                        }
                    })
                    .onFailure(e -> {
                        window--;
                        open.clear(at);
                        verdicts.refuse(at, Failure.retry("not-sent", String.valueOf(e.getMessage())));
                        if (alone) {
                            vertx.runOnContext(v -> send()); // No acknowledgement will.
                        }
                        finishIfDone();
                    });
        }

        /** Size of a PUBLISH (MQTT 3.1.1 section 3.3). */
        private int packetBytes(String topic, int payloadLength) {
            int remaining = 2 + ByteBufUtil.utf8Bytes(topic) + (qos == MqttQoS.AT_MOST_ONCE ? 0 : 2) + payloadLength;
            int lengthBytes = remaining < 1 << 7 ? 1 : remaining < 1 << 14 ? 2 : remaining < 1 << 21 ? 3 : 4;
            return 1 + lengthBytes + remaining;
        }

        private @Nullable Failure impossible(String topic, int packetBytes) {
            if (topic.length() > MAX_TOPIC_BYTES / 3 && ByteBufUtil.utf8Bytes(topic) > MAX_TOPIC_BYTES) {
                return Failure.reject("topic-too-long", "a topic has at most 65,535 bytes");
            }
            return packetBytes > config.maxPacketSize()
                    ? Failure.reject(
                            "packet-too-large",
                            "a packet of " + packetBytes + " bytes; max-packet-size is " + config.maxPacketSize())
                    : null;
        }

        void delivered(int at) {
            open.clear(at);
            if (!progressed) {
                progressed = true;
                alone = false;
                suspects.clear(batch.plan());
            }
        }

        void finishIfDone() {
            if (allSent && open.isEmpty()) {
                promise.tryComplete(verdicts.verdicts());
            }
        }

        private Failure lost() {
            String where = config.host() + ":" + config.port();
            int first = open.nextSetBit(0);
            boolean certain = first >= 0 && !progressed && suspects.ended(batch.plan(), first) && alone;
            return certain
                    ? Failure.operator(
                            "connection-ends-at-message",
                            where + " ends the connection, or is silent, at a message of " + lastBytes + " bytes on "
                                    + lastTopic)
                    : Failure.retry("connection-lost", where);
        }

        void connectionLost() {
            Failure lost = lost();
            for (int at = open.nextSetBit(0); at >= 0; at = open.nextSetBit(at + 1)) {
                verdicts.refuse(at, lost);
            }
            if (!allSent) {
                for (int at = ordinal + 1; at < batch.count(); at++) {
                    if (batch.isPending(at)) {
                        verdicts.refuse(at, lost);
                    }
                }
            }
            promise.tryComplete(verdicts.verdicts());
        }
    }
}
