package io.plantline.model;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Batches made of batches. */
public final class Batches {
    private Batches() {}

    /** Messages in all of them. A loop, as the next: a stream takes microseconds, and most lists have one. */
    public static int count(List<MessageBatch> batches) {
        int count = 0;
        for (MessageBatch batch : batches) {
            count += batch.count();
        }
        return count;
    }

    /** What all of them take. */
    public static long sizeInBytes(List<MessageBatch> batches) {
        long bytes = 0;
        for (MessageBatch batch : batches) {
            bytes += batch.sizeInBytes();
        }
        return bytes;
    }

    /** All messages of {@code batches} in one, ordered by sequence; each of them is ordered already. */
    public static MessageBatch merge(List<MessageBatch> batches) {
        MessageBatch.Builder builder = new MessageBatch.Builder(Math.toIntExact(sizeInBytes(batches) + 64));
        PriorityQueue<MessageCursor> cursors =
                new PriorityQueue<>(Math.max(1, batches.size()), Comparator.comparingLong(MessageCursor::sequence));
        for (MessageBatch batch : batches) {
            MessageCursor cursor = batch.cursor();
            if (cursor.next()) {
                cursors.add(cursor);
            }
        }
        for (MessageCursor least = cursors.poll(); least != null; least = cursors.poll()) {
            builder.addCopy(least);
            if (least.next()) {
                cursors.add(least);
            }
        }
        return builder.build();
    }

    /** The sequence of the message at {@code index}, from 0. */
    public static long sequenceAt(MessageBatch batch, int index) {
        MessageCursor cursor = batch.cursor();
        for (int i = 0; i <= index; i++) {
            if (!cursor.next()) {
                throw new IndexOutOfBoundsException(index);
            }
        }
        return cursor.sequence();
    }

    /** The same messages, without gaps between their sequences: for a log that numbers them anew. */
    public static MessageBatch withoutGaps(MessageBatch batch) {
        MessageCursor message = batch.cursor();
        long expected = batch.firstSequence();
        boolean gaps = false;
        while (message.next() && !gaps) {
            gaps = message.sequence() != expected++;
        }
        if (!gaps) {
            return batch;
        }
        MessageBatch.Builder builder = new MessageBatch.Builder(batch.sizeInBytes() + 64);
        MessageCursor copied = batch.cursor();
        while (copied.next()) {
            builder.add(
                    copied.topic(),
                    copied.qos(),
                    copied.retained(),
                    copied.redelivered(),
                    copied.receivedAtMicros(),
                    copied.properties(),
                    copied.payloadLength(),
                    (bytes, offset) -> System.arraycopy(
                            copied.array(), copied.payloadOffset(), bytes, offset, copied.payloadLength()));
        }
        return builder.build();
    }

    /** The messages of {@code batch} whose sequence {@code keep} accepts. */
    public static MessageBatch select(MessageBatch batch, java.util.function.LongPredicate keep) {
        MessageBatch.Builder builder = new MessageBatch.Builder(1024);
        MessageCursor cursor = batch.cursor();
        while (cursor.next()) {
            if (keep.test(cursor.sequence())) {
                builder.addCopy(cursor);
            }
        }
        return builder.build();
    }
}
