package io.plantline.model;

import java.util.ArrayList;
import java.util.List;

/** Batches made of batches. */
public final class Batches {
    private Batches() {}

    /** All messages of {@code batches} in one, ordered by sequence; each of them is ordered already. */
    public static MessageBatch merge(List<MessageBatch> batches) {
        int size = batches.stream().mapToInt(MessageBatch::sizeInBytes).sum();
        MessageBatch.Builder builder = new MessageBatch.Builder(size + 64);
        List<MessageCursor> cursors = new ArrayList<>();
        for (MessageBatch batch : batches) {
            MessageCursor cursor = batch.cursor();
            if (cursor.next()) {
                cursors.add(cursor);
            }
        }
        while (!cursors.isEmpty()) {
            MessageCursor least = cursors.get(0);
            for (MessageCursor cursor : cursors) {
                if (cursor.sequence() < least.sequence()) {
                    least = cursor;
                }
            }
            builder.addCopy(least);
            if (!least.next()) {
                cursors.remove(least);
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
