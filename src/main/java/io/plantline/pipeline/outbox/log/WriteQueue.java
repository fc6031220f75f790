package io.plantline.pipeline.outbox.log;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be written to a log. Any thread adds; the writer's thread takes what is to share one write and one force:
 * all that is there, once the last group is long enough ago.
 */
final class WriteQueue {
    private static final int MAX_GROUP_BYTES = 4 << 20;
    private static final int SMALL_RECORD_BYTES = 64;
    private static final long LAZY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long FOREVER = Long.MAX_VALUE / 2;

    private final long groupNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Item> items = new ArrayDeque<>();
    private int urgent;
    /** Of the items, those that need no room. */
    private int small;

    private long waitingSince;
    private long lastGroup = System.nanoTime();
    /** Whether groups follow each other closely. */
    private boolean busy;
    /** When the writer looks again without being woken. */
    private long alarm;

    private boolean pausing;
    private boolean closing;
    private boolean abandoned;

    /**
     * A record to write.
     *
     * @param durable runs when it is; null: nobody waits for that
     * @param urgent false: it can wait a while for another
     */
    record Item(LogRecord record, @Nullable Runnable durable, boolean urgent) {
        boolean needsRoom() {
            return record.needsRoom();
        }

        private long sizeInBytes() {
            return record instanceof LogRecord.Stored stored ? stored.batch().sizeInBytes() : SMALL_RECORD_BYTES;
        }
    }

    /**
     * An empty queue.
     *
     * @param groupNanos from one group to the next, at least
     */
    WriteQueue(long groupNanos) {
        this.groupNanos = groupNanos;
    }

    void add(Item item) {
        lock.lock();
        try {
            if (items.isEmpty()) {
                waitingSince = System.nanoTime();
            }
            items.add(item);
            urgent += item.urgent() ? 1 : 0;
            small += item.needsRoom() ? 0 : 1;
            if (pausing ? small > 0 : due() - alarm < 0) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the next group, all that waits up to its size; false when the queue is closed and nothing waits. */
    boolean take(List<Item> group) {
        lock.lock();
        try {
            awaitWork();
            long now = System.nanoTime();
            busy = now - lastGroup < 2 * groupNanos;
            lastGroup = now;
            long bytes = 0;
            while (!items.isEmpty() && bytes < MAX_GROUP_BYTES) {
                Item item = items.remove();
                group.add(item);
                taken(item);
                bytes += item.sizeInBytes();
            }
            return !group.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Takes what needs no room, from behind what does: it depends on nothing that is not durable yet. */
    void takeSmall(List<Item> group) {
        lock.lock();
        try {
            for (Iterator<Item> all = items.iterator(); small > 0 && all.hasNext(); ) {
                Item item = all.next();
                if (!item.needsRoom()) {
                    all.remove();
                    group.add(item);
                    taken(item);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void taken(Item item) {
        urgent -= item.urgent() ? 1 : 0;
        small -= item.needsRoom() ? 0 : 1;
    }

    private void awaitWork() {
        while (!closing) {
            long now = System.nanoTime();
            long left = (items.isEmpty() ? idleUntil(now) : due()) - now;
            if (left <= 0) {
                return;
            }
            alarm = now + left;
            try {
                arrived.awaitNanos(left);
            } catch (InterruptedException e) {
                // Not how the writer is ended; and what waits must not wait for ever.
            }
        }
    }

    /** While there is much to do it comes back by itself, so that nobody must wake it for each group. */
    private long idleUntil(long now) {
        long next = lastGroup + groupNanos;
        return busy && next - now > 0 ? next : now + FOREVER;
    }

    /** When what waits is to be taken: with more, if it can wait for more. */
    private long due() {
        long next = lastGroup + groupNanos;
        if (urgent > 0) {
            return next;
        }
        long lazily = waitingSince + LAZY_NANOS;
        return lazily - next > 0 ? lazily : next;
    }

    /**
     * Waits before a group is tried again, until then or until something comes that needs no room.
     *
     * @return nanoseconds that are left; 0: it is time; less: the log was abandoned
     */
    long pause(long nanos) {
        lock.lock();
        try {
            pausing = true;
            long left = nanos;
            while (left > 0 && !abandoned && small == 0) {
                left = arrived.awaitNanos(left);
            }
            return abandoned ? -1 : Math.max(0, left);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return abandoned ? -1 : 0;
        } finally {
            pausing = false;
            lock.unlock();
        }
    }

    /** Nothing more comes; what waits can be taken at once. */
    void close() {
        signal(() -> closing = true);
    }

    /** What cannot be written is not tried again. */
    void abandon() {
        signal(() -> abandoned = true);
    }

    private void signal(Runnable change) {
        lock.lock();
        try {
            change.run();
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
