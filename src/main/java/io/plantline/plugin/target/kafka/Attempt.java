package io.plantline.plugin.target.kafka;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.spi.BatchReader;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Sends the pending messages of a plan once. Without transactions each message has its own verdict; with them, either all
 * of them are in the cluster afterwards or none is.
 */
final class Attempt {
    private static final long PIECE_BYTES = 1 << 20;
    /** What a broker takes beside an offset (offset.metadata.max.bytes), with something to spare. */
    private static final int MAX_METADATA = 4_000;

    private final Link link;
    private final KnownCluster known;
    private final PublishBatch batch;
    private final TargetContext context;
    private final RecordMaker maker;
    private final Map<Integer, Failure> refused = new TreeMap<>();
    private Pass pass = new Pass();

    Attempt(Link link, KnownCluster known, PublishBatch batch, TargetContext context, RecordMaker maker) {
        this.link = link;
        this.known = known;
        this.batch = batch;
        this.context = context;
        this.maker = maker;
    }

    /** One way through the messages. */
    private static final class Pass {
        private final BitSet acknowledged = new BitSet();
        private final Map<Integer, Failure> failed = new ConcurrentHashMap<>();
        private final List<Long> missing = new ArrayList<>();
        private int ordinal;
        private long lastSequence;
        private @Nullable String firstTopic;
        /** What the producer threw instead of taking a record. */
        private @Nullable KafkaException thrown;
    }

    Future<Verdicts> run() {
        link.progress();
        pass = new Pass();
        return begin().compose(v -> send(batch.reader()))
                .compose(v -> context.blocking(this::finish))
                .compose(done -> done ? Future.succeededFuture(verdicts()) : run());
    }

    private Future<Void> begin() {
        return link.isTransactional()
                ? context.blocking(() -> {
                    link.producer().beginTransaction();
                    return null;
                })
                : Future.succeededFuture();
    }

    private Future<Void> send(BatchReader reader) {
        return reader.next(PIECE_BYTES)
                .compose(pieces -> pieces.isEmpty()
                        ? Future.succeededFuture()
                        : context.blocking(() -> send(pieces))
                                .compose(goOn -> goOn ? send(reader) : Future.succeededFuture()));
    }

    private boolean send(List<MessageBatch> pieces) {
        for (MessageBatch piece : pieces) {
            MessageCursor message = piece.cursor();
            while (message.next()) {
                if (isHopeless()) {
                    return false;
                }
                int ordinal = pass.ordinal++;
                pass.lastSequence = message.sequence();
                if (batch.isPending(ordinal)) {
                    sendOne(ordinal, message);
                }
            }
        }
        return true;
    }

    /** Whether nothing that is sent now can count: a transaction fails with its first record. */
    private boolean isHopeless() {
        return link.failure() != null || (link.isTransactional() && (!pass.failed.isEmpty() || pass.thrown != null));
    }

    private void sendOne(int ordinal, MessageCursor message) {
        Pass now = pass;
        if (link.isTransactional() && link.position().covers(batch.plan().epoch(), message.sequence())) {
            now.acknowledged.set(ordinal);
            return;
        }
        RecordMaker.Made made = maker.make(batch.plan(), message);
        ProducerRecord<byte[], byte[]> record = made.record();
        if (made.failure() != null) {
            refused.put(ordinal, made.failure());
        }
        if (record == null || refused.containsKey(ordinal)) {
            now.missing.add(message.sequence());
            return;
        }
        if (now.firstTopic == null) {
            now.firstTopic = record.topic();
        }
        try {
            send(now, ordinal, record);
        } catch (KafkaException e) {
            if (!link.isTransactional()) {
                throw e;
            }
            // The transaction has failed by a record before this one, which is told of in a moment.
            now.thrown = e;
        }
    }

    private void send(Pass now, int ordinal, ProducerRecord<byte[], byte[]> record) {
        link.producer().send(record, (metadata, failure) -> {
            if (failure == null) {
                link.progress();
                known.acknowledged(metadata);
                synchronized (now.acknowledged) {
                    now.acknowledged.set(ordinal);
                }
            } else {
                failed(now, ordinal, KafkaFailures.of(failure));
            }
        });
    }

    private void failed(Pass now, int ordinal, Failure failure) {
        // In a transaction, what fails after the first fails for the first.
        if (!link.isTransactional() || now.failed.isEmpty()) {
            now.failed.put(ordinal, failure.kind() == Failure.Kind.REJECT ? failure : link.giveUp(failure));
        }
    }

    /** Whether that was all; if not, it is to be done again without what was refused. */
    private boolean finish() {
        link.producer().flush();
        Failure lost = link.failure();
        if (!link.isTransactional()) {
            refused.putAll(pass.failed);
            return true;
        }
        if (lost != null) {
            throw lost.asException();
        }
        if (!pass.failed.isEmpty()) {
            link.producer().abortTransaction();
            refused.putAll(pass.failed);
            return false;
        }
        if (pass.thrown != null) {
            throw pass.thrown;
        }
        commit();
        return true;
    }

    private void commit() {
        String topic = pass.firstTopic;
        if (topic == null) {
            link.producer().abortTransaction();
            return;
        }
        Position reached = link.position().after(batch.plan().epoch(), pass.lastSequence, pass.missing);
        if (reached.encode().metadata().length() > MAX_METADATA) {
            link.producer().abortTransaction();
            throw Failure.operator("too-many-refused", pass.missing.size() + " messages of one plan were refused")
                    .asException();
        }
        link.commit(reached, topic);
    }

    private Verdicts verdicts() {
        Verdicts.Collector verdicts = new Verdicts.Collector();
        Failure lost = link.failure();
        for (int ordinal = 0; ordinal < batch.count(); ordinal++) {
            Failure failure = refused.get(ordinal);
            if (failure != null) {
                verdicts.refuse(ordinal, failure);
            } else if (lost != null && batch.isPending(ordinal) && !isAcknowledged(ordinal)) {
                verdicts.refuse(ordinal, lost);
            }
        }
        return verdicts.verdicts();
    }

    private boolean isAcknowledged(int ordinal) {
        synchronized (pass.acknowledged) {
            return pass.acknowledged.get(ordinal);
        }
    }
}
