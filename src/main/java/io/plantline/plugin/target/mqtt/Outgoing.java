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

/** The publishes of one connection: its own window, and the way from packet identifiers back to messages. */
final class Outgoing {
    private static final int MAX_TOPIC_BYTES = 65_535;
    private static final int MAX_PAYLOAD = 268_435_455 - MAX_TOPIC_BYTES - 16;

    private final Vertx vertx;
    private final MqttTargetConfig config;
    private final MqttQoS qos;
    private final Map<Integer, Sent> inFlight = new HashMap<>();
    private final ArrayDeque<Run> runs = new ArrayDeque<>();
    private int window;
    private @Nullable MqttClient client;
    private boolean closed;
    private long lastProgressNanos;
    private long silenceCheck = -1;

    Outgoing(Vertx vertx, MqttTargetConfig config) {
        this.vertx = vertx;
        this.config = config;
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

    /** Whether acknowledgements are due. */
    boolean isWaiting() {
        return window > 0;
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
            for (Run run : runs.toArray(Run[]::new)) {
                if (window < config.maxInFlight()) {
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

        Run(PublishBatch batch) {
            this.batch = batch;
            this.reader = batch.reader();
        }

        void send() {
            while (!allSent && !closed && window < config.maxInFlight()) {
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
            Failure impossible = impossible(topic, message.payloadLength());
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
                        finishIfDone();
                    });
        }

        private @Nullable Failure impossible(String topic, int payloadLength) {
            if (ByteBufUtil.utf8Bytes(topic) > MAX_TOPIC_BYTES) {
                return Failure.reject("topic-too-long", "a topic has at most 65,535 bytes");
            }
            return payloadLength > MAX_PAYLOAD
                    ? Failure.reject("payload-too-large", payloadLength + " bytes do not fit into an MQTT packet")
                    : null;
        }

        void delivered(int at) {
            open.clear(at);
        }

        void finishIfDone() {
            if (allSent && open.isEmpty()) {
                promise.tryComplete(verdicts.verdicts());
            }
        }

        void connectionLost() {
            Failure lost = Failure.retry("connection-lost", config.host() + ":" + config.port());
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
