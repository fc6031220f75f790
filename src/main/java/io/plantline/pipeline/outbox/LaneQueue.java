package io.plantline.pipeline.outbox;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What of a lane waits in memory, in order, and what it adds up to. */
final class LaneQueue {
    private final ArrayDeque<Entry> entries = new ArrayDeque<>();
    private long records;
    private long bytes;
    private long lost;

    /** Messages in it. */
    long records() {
        return records;
    }

    long bytes() {
        return bytes;
    }

    /** Messages that damage took before or between those in it. */
    long lost() {
        return lost;
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    @Nullable
    Entry peek() {
        return entries.peek();
    }

    @Nullable
    Entry peekLast() {
        return entries.peekLast();
    }

    List<Entry> entries() {
        return new ArrayList<>(entries);
    }

    void add(Entry entry) {
        entries.addLast(entry);
        count(entry, 1);
    }

    /** Puts some back in front, in their order. */
    void putBack(List<Entry> some) {
        for (int i = some.size() - 1; i >= 0; i--) {
            entries.addFirst(some.get(i));
            count(some.get(i), 1);
        }
    }

    Entry remove() {
        Entry head = entries.remove();
        count(head, -1);
        return head;
    }

    /** Takes the hole before the head away, and returns the head as it was; what stays of it may have no messages. */
    Entry removeHole() {
        Entry head = remove();
        putBack(List.of(new Entry(head.batch(), head.epoch(), 0, head.safe(), head.acceptedNanos())));
        return head;
    }

    void clear() {
        entries.clear();
        records = 0;
        bytes = 0;
        lost = 0;
    }

    private void count(Entry entry, int sign) {
        records += (long) sign * entry.batch().count();
        bytes += (long) sign * entry.batch().sizeInBytes();
        lost += sign * entry.lost();
    }
}
