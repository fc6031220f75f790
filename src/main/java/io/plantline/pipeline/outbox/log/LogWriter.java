package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.WriteQueue.Item;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes a log: one thread, which takes all that waits, writes it with one write and one force, and then says so. What a
 * disk refuses is tried again, for ever: nothing of it has been promised yet.
 */
final class LogWriter {
    private static final long RETRY_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long RETRY_MAX_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** How long an end waits for a disk that refuses. */
    private static final long REFUSED_MILLIS = 1_000;

    private final Log.Listener listener;
    private final Executor callbacks;
    private final Segments segments;
    private final SegmentWriter writer;
    private final WriteQueue queue;
    private final Thread thread;
    private volatile boolean failing;

    LogWriter(
            String name,
            Disk disk,
            Log.Options options,
            Log.Listener listener,
            Executor callbacks,
            Segments segments,
            Recovery.Result recovered)
            throws IOException {
        this.listener = listener;
        this.callbacks = callbacks;
        this.segments = segments;
        this.writer = new SegmentWriter(disk, options, listener, segments, recovered);
        this.queue = new WriteQueue(options.groupNanos());
        this.thread = new Thread(this::run, "plantline-log-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    int epoch() {
        return writer.epoch();
    }

    SegmentWriter.Durable durable() {
        return writer.durable();
    }

    long usedBytes() {
        return writer.usedBytes();
    }

    /** Queues a record; {@code durable} runs on the callbacks' executor when it is. */
    void submit(LogRecord record, @Nullable Runnable durable) {
        queue.add(new Item(record, durable, true));
    }

    /** Queues a record that can wait for another, for a while. */
    void submitLazily(LogRecord record, @Nullable Runnable durable) {
        queue.add(new Item(record, durable, false));
    }

    private void run() {
        try {
            writeAll();
        } catch (Error e) {
            // What is in memory may be half of a change. What is durable is whole, and a start reads that.
            listener.ended(e);
            throw e;
        }
    }

    private void writeAll() {
        List<Item> group = new ArrayList<>();
        while (queue.take(group)) {
            if (!write(group)) {
                break;
            }
            group.clear();
            if (writer.isOverlong()) {
                moveOn(); // One large record must not fill a small log for good.
            }
        }
        writer.close();
    }

    /** Writes until it is durable, and says so; false if the log was abandoned meanwhile. */
    private boolean write(List<Item> group) {
        long wait = 0; // A new segment may do at once what the old one could not.
        while (!group.isEmpty()) {
            try {
                writeOnce(group);
            } catch (IOException | RuntimeException e) {
                if (!failing) {
                    listener.failing(e);
                }
                failing = true;
                if (!pause(wait, group)) {
                    return false;
                }
                wait = Math.min(RETRY_MAX_NANOS, Math.max(RETRY_MIN_NANOS, wait * 2));
                continue;
            }
            done(group);
            break;
        }
        if (failing) {
            failing = false;
            listener.recovered();
        }
        return true;
    }

    private void writeOnce(List<Item> group) throws IOException {
        writer.write(group.stream().map(Item::record).toList());
    }

    /**
     * Waits before a group is tried again; false if the log was abandoned. Meanwhile what needs no room is written without what does: it
     * says what has left, and that frees room on a disk that is full.
     */
    private boolean pause(long nanos, List<Item> group) {
        long left = nanos;
        do {
            queue.takeSmall(group);
            if (writeSmall(group) || moveOn()) {
                return true;
            }
            left = queue.pause(left);
        } while (left > 0);
        return left == 0;
    }

    /** Whether that has made room. */
    private boolean moveOn() {
        return did(writer::moveOnIfUnneeded);
    }

    /** Takes out of a group what needs no room, and writes it; whether that has freed some, or was all. */
    private boolean writeSmall(List<Item> group) {
        List<Item> small = group.stream().filter(item -> !item.needsRoom()).toList();
        if (small.isEmpty()) {
            return false;
        }
        int before = segments.list().size();
        // Where it failed alone, it would fail again: then in what is kept for that.
        boolean written = (small.size() < group.size() && isWritten(small)) || (isMoved() && isWritten(small));
        if (!written) {
            return false;
        }
        group.removeIf(item -> !item.needsRoom());
        done(small);
        return group.isEmpty() || segments.list().size() < before;
    }

    private boolean isWritten(List<Item> small) {
        return did(() -> {
            writeOnce(small);
            return true;
        });
    }

    private boolean isMoved() {
        return did(() -> {
            writer.moveOn();
            return true;
        });
    }

    /** What may fail while the disk is in trouble, which has been said. */
    private interface Try {
        boolean run() throws IOException;
    }

    private static boolean did(Try attempt) {
        try {
            return attempt.run();
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private void done(List<Item> group) {
        List<Runnable> told = new ArrayList<>(group.size());
        for (Item item : group) {
            if (item.durable() != null) {
                told.add(item.durable());
            }
        }
        if (!told.isEmpty()) {
            try {
                callbacks.execute(() -> told.forEach(Runnable::run));
            } catch (RejectedExecutionException e) {
                // Nobody is left to be told. It is written, and must not be written again.
            }
        }
    }

    /**
     * Writes what waits and ends. Waits for it until {@code millis} are over, or not so long where the disk refuses; then what waits is
     * left unwritten.
     */
    void close(long millis) throws InterruptedException {
        queue.close();
        thread.join(failing ? Math.min(millis, REFUSED_MILLIS) : millis);
        queue.abandon();
        thread.join(millis);
    }
}
