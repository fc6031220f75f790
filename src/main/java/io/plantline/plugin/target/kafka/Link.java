package io.plantline.plugin.target.kafka;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.kafka.client.producer.KafkaProducer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * A producer. Given up as a whole at its first failure, so that nothing overtakes what failed. Its methods block, unless they
 * say otherwise.
 */
final class Link {
    private final KafkaProducer<byte[], byte[]> client;
    private final Producer<byte[], byte[]> producer;
    private final Optional<String> transactionalId;
    private final AtomicReference<@Nullable Failure> failure = new AtomicReference<>();
    private volatile long lastProgressNanos = System.nanoTime();
    private Position position = Position.START;

    private Link(KafkaProducer<byte[], byte[]> client, Optional<String> transactionalId) {
        this.client = client;
        this.producer = client.unwrap();
        this.transactionalId = transactionalId;
    }

    /**
     * Opens one.
     *
     * @param known where it may write to
     * @param name of the target
     * @param transactionalId none: without transactions. With it, whoever else writes with it is fenced off, and what it
     *     left open is completed or undone
     */
    static Link open(
            Vertx vertx,
            KafkaTargetConfig config,
            KnownCluster known,
            String name,
            Optional<String> transactionalId,
            Optional<Credential> credential) {
        String clientId = "plantline-" + name;
        ClusterGate gate = new ClusterGate(known);
        Link link = new Link(
                KafkaProducer.create(
                        vertx,
                        ProducerSettings.producer(config, clientId, transactionalId, credential),
                        new ByteArraySerializer(),
                        gate),
                transactionalId);
        gate.tell(link::leaveCluster);
        if (transactionalId.isPresent()) {
            try {
                link.producer.initTransactions();
                link.position =
                        position(transactionalId.get(), ProducerSettings.client(config, clientId, credential), config);
            } catch (Exception e) {
                // What is thrown by a producer that was given up before says nothing new.
                throw link.giveUp(KafkaFailures.of(e)).asException();
            }
        }
        return link;
    }

    private static Position position(String group, Map<String, String> settings, KafkaTargetConfig config)
            throws Exception {
        try (Admin admin = Admin.create(Map.copyOf(settings))) {
            return Position.decode(
                    admin.listConsumerGroupOffsets(group, new ListConsumerGroupOffsetsOptions().requireStable(true))
                            .partitionsToOffsetAndMetadata()
                            .get(config.timeout().toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    Producer<byte[], byte[]> producer() {
        return producer;
    }

    /** What the cluster had when the link was opened, or has been told since. */
    Position position() {
        return position;
    }

    boolean isTransactional() {
        return transactionalId.isPresent();
    }

    /** Commits the open transaction, and with it how far it goes. */
    void commit(Position reached, String topic) {
        Map<TopicPartition, OffsetAndMetadata> offsets = Map.of(new TopicPartition(topic, 0), reached.encode());
        producer.sendOffsetsToTransaction(offsets, nobody(transactionalId.orElseThrow()));
        producer.commitTransaction();
        position = reached;
        progress();
    }

    /** A group that nobody is in: it only holds offsets. */
    @SuppressWarnings("removal") // Kafka 4.4 has no other way to name a group without a consumer in it.
    private static ConsumerGroupMetadata nobody(String group) {
        return new ConsumerGroupMetadata(group, -1, "", Optional.empty());
    }

    /** Something was acknowledged, or begins; does not block. */
    void progress() {
        lastProgressNanos = System.nanoTime();
    }

    long silentNanos() {
        return System.nanoTime() - lastProgressNanos;
    }

    /** What it was given up for; does not block. */
    @Nullable
    Failure failure() {
        return failure.get();
    }

    /**
     * Gives it up; what is not acknowledged fails. Does not block.
     *
     * @return what it was given up for: that, or what was before
     */
    Failure giveUp(Failure because) {
        Failure before = failure.compareAndExchange(null, because);
        if (before == null) {
            leave();
        }
        return before == null ? because : before;
    }

    /** The same; the producer, whose thread calls this, sends nothing more once it returns. */
    private void leaveCluster(Failure because) {
        if (failure.compareAndSet(null, because)) {
            producer.close(Duration.ZERO);
            leave();
        }
    }

    /** Closes at once: a timeout of nothing would wait for ever. */
    private Future<Void> leave() {
        return client.close(1);
    }

    /** Closes when all is acknowledged; does not block. */
    Future<Void> close() {
        return failure.get() == null ? client.close(5_000) : Future.succeededFuture();
    }
}
