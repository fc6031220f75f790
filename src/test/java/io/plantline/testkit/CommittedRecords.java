package io.plantline.testkit;

import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Counts the records of a topic as a consumer with isolation.level=read_committed comes to see them. */
public final class CommittedRecords implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final long LOOK_NANOS = 1_000_000_000L;

    private final KafkaConsumer<byte[], byte[]> consumer;
    private long seen;

    CommittedRecords(KafkaConsumer<byte[], byte[]> consumer) {
        this.consumer = consumer;
    }

    /** How many there are by now, in partitions that can be read; takes a second at most, where more and more come. */
    public long count() {
        long end = System.nanoTime() + LOOK_NANOS;
        ConsumerRecords<byte[], byte[]> records;
        do {
            records = consumer.poll(PATIENCE);
            seen += records.count();
        } while (!records.isEmpty() && System.nanoTime() < end);
        return seen;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
