package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Snapshot;
import io.plantline.pipeline.outbox.log.WriteQueue.Item;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes a log: one thread, which takes all that waits, writes it with one write and one force, and then says so. What a
 * disk refuses is tried again, for ever: nothing of it has been promised yet.
 *
 * <p>After a failed force nothing is known of what was written, and a second force would succeed without having written
 * it. The segment is left as it was before, and what waited goes into a new one.
 */
final class LogWriter {
    private static final int BLOCK = 4_096;
    private static final long RETRY_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long RETRY_MAX_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Disk disk;
    private final Log.Options options;
    private final Log.Listener listener;
    private final Executor callbacks;
    private final Segments segments;
    private final SpareFiles spares;
    private final LogState state;
    private final int epoch;
    private final Records.Writer records = new Records.Writer();
    private final WriteQueue queue;
    private final Thread thread;

    private long number;
    private long position;
    private Disk.@Nullable File file;
    /** Whether this start has made a segment. */
    private boolean begun;
    /** Whether the newest segment was made where there is no room for messages. */
    private boolean cramped;
    /** How far the newest segment was ever written; what is behind its position did not become durable. */
    private long written;
    /** Whether the newest segment holds nothing but the state. */
    private boolean bare;
    /** Whether something in the newest segment is durable. */
    private boolean holding;

    private long sealed;
    private long sealedEnd;
    private volatile Durable durable;
    private volatile long usedBytes;

    /**
     * How far the log is durable.
     *
     * @param segment number of the segment that is written
     * @param position in it
     * @param nextSequence of the log there
     * @param stored messages of each lane up to there
     */
    record Durable(long segment, long position, long nextSequence, long[] stored) {}

    LogWriter(
            String name,
            Disk disk,
            Log.Options options,
            Log.Listener listener,
            Executor callbacks,
            Segments segments,
            Recovery.Result recovered)
            throws IOException {
        this.disk = disk;
        this.options = options;
        this.listener = listener;
        this.queue = new WriteQueue(options.groupNanos());
        this.callbacks = callbacks;
        this.segments = segments;
        this.state = recovered.state();
        // Each start that writes makes a segment, so no other has this one; also where damage took what the last one
        // wrote.
        this.epoch = Math.toIntExact(recovered.lastNumber() + 1);
        this.number = recovered.lastNumber();
        if (!segments.list().isEmpty()) {
            sealed = segments.list().get(segments.list().size() - 1).number();
            sealedEnd = recovered.lastEnd();
            segments.sealed(sealed, sealedEnd);
            for (Segment segment : segments.list()) {
                segments.end(new SalvagingDisk(disk), segment);
            }
        }
        this.spares = new SpareFiles(disk, options);
        this.durable = durablePoint(sealed, sealedEnd);
        this.usedBytes = used();
        this.thread = new Thread(this::run, "plantline-log-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    int epoch() {
        return epoch;
    }

    Durable durable() {
        return durable;
    }

    long usedBytes() {
        return usedBytes;
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
            // Nothing more is acknowledged, and the operator must hear why.
            listener.failing(new IllegalStateException("the writer of the log has ended", e));
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
            if (position > options.segmentBytes()) {
                moveOn(); // One large record must not fill a small log for good.
            }
        }
        closeFile();
    }

    /** Writes until it is durable, and says so; false if the log was abandoned meanwhile. */
    private boolean write(List<Item> group) {
        long wait = 0; // A new segment may do at once what the old one could not.
        boolean failing = false;
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
            listener.recovered();
        }
        return true;
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

    /** Where nothing in the log is needed any more, another segment makes room of those there are; whether it did. */
    private boolean moveOn() {
        if (!holding || bare || state.lowWater() < state.nextSequence() || position < options.segmentBytes() / 8) {
            return false;
        }
        try {
            roll(false);
            writeOnce(List.of());
            return !spares.isScarce();
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    /** Takes out of a group what needs no room, and writes it; whether that has freed some, or was all. */
    private boolean writeSmall(List<Item> group) {
        List<Item> small = group.stream().filter(item -> !item.needsRoom()).toList();
        if (small.isEmpty()) {
            return false;
        }
        int before = segments.list().size();
        // Where it failed alone, it would fail again.
        if (!(small.size() < group.size() && isWritten(small)) && !(isRolled() && isWritten(small))) {
            return false;
        }
        group.removeIf(item -> !item.needsRoom());
        done(small);
        return group.isEmpty() || segments.list().size() < before;
    }

    private boolean isWritten(List<Item> small) {
        try {
            writeOnce(small);
            return true;
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    /** Goes on in what is kept for that. */
    private boolean isRolled() {
        try {
            roll(false);
            return true;
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private void writeOnce(List<Item> group) throws IOException {
        // What piles up beyond a segment may wait for long: that is when room on the disk is worth the time.
        records.compress(segments.list().size() > 1 ? Compression.Effort.SMALL : Compression.Effort.FAST);
        records.begin();
        for (Item item : group) {
            records.add(item.record());
        }
        int count = group.size();
        boolean needsRoom = group.stream().anyMatch(Item::needsRoom);
        if (file == null || (needsRoom && cramped) || (holding && position + records.size() > options.segmentBytes())) {
            roll(needsRoom);
        }
        if (!holding) {
            records.begin();
            records.add(snapshot());
            for (Item item : group) {
                records.add(item.record());
            }
            count++;
        }
        Disk.File to = Objects.requireNonNull(file);
        Group.seal(records.buffer(), number, position, count, epoch);
        int size = records.size();
        written = Math.max(written, position + size);
        to.write(records.buffer().duplicate().flip(), position);
        force(to);
        records.shrink();
        for (Item item : group) {
            state.apply(item.record());
        }
        position = Group.aligned(position + size);
        bare = !holding && group.isEmpty();
        holding = true;
        durable = durablePoint(number, position);
        trim();
        usedBytes = used();
    }

    private Snapshot snapshot() {
        ByteBuffer encoded = ByteBuffer.allocate(state.encodedBound());
        state.encode(encoded);
        return new Snapshot(sealed, sealedEnd, encoded.flip());
    }

    /** Seals the segment there is, and makes the next one. */
    private void roll(boolean needsRoom) throws IOException {
        boolean scarce = spares.isScarce();
        if (scarce && needsRoom) {
            throw new IOException("fewer than " + options.minFreeBytes() + " bytes would be left on the disk");
        }
        if (holding && written > position) {
            cutOff();
        }
        written = 0;
        closeFile();
        if (holding) {
            sealed = number;
            sealedEnd = position;
            segments.sealed(number, position);
        } else if (begun) {
            segments.remove(number);
            disk.delete(new Segment(number, state.nextSequence()).name());
        }
        holding = false;
        begun = true;
        number++;
        position = 0;
        cramped = scarce;
        Segment segment = new Segment(number, state.nextSequence());
        spares.become(segment, scarce);
        file = disk.create(segment.name());
        try {
            disk.forceNames();
            segments.add(segment);
            begin(file);
            if (!scarce) {
                spares.keepReserve();
            }
        } catch (IOException | RuntimeException e) {
            closeFile(); // The next attempt makes another one.
            throw e;
        }
    }

    private void begin(Disk.File created) throws IOException {
        // Once by itself and once more with the first records, not in the same block of the disk: damage to one costs
        // one.
        records.begin();
        records.add(snapshot());
        records.pad(Math.min(BLOCK, options.segmentBytes() / 8));
        Group.seal(records.buffer(), number, 0, 1, epoch);
        created.write(records.buffer().duplicate().flip(), 0);
        // The next group says that this one is durable: a torn one before it would look like damage.
        force(created);
        position = Group.aligned(records.size());
    }

    /**
     * Makes the file end where the segment does. A group whose write or force has failed may be there all the same. That it does
     * not count is said only by the segment behind it, which may be removed before this one is. And what did not fit takes room.
     */
    private void cutOff() throws IOException {
        List<Segment> all = segments.list();
        try (Disk.File left = disk.open(all.get(all.size() - 1).name())) {
            left.truncate(position);
            left.force();
        }
    }

    private void force(Disk.File written) throws IOException {
        try {
            written.force();
        } catch (IOException e) {
            closeFile();
            throw e;
        }
    }

    /** What cannot be removed now is found below the low-water mark at the next start, and then removed. */
    private void trim() {
        long low = state.lowWater();
        for (Segment old = segments.removeBelow(low); old != null; old = segments.removeBelow(low)) {
            remove(old);
        }
        if (state.hasGaps()) {
            segments.removeBetween((from, to) -> !state.needs(from, to)).forEach(this::remove);
        }
    }

    private void remove(Segment old) {
        try {
            spares.take(old);
        } catch (IOException e) {
            listener.failing(e);
        }
    }

    private Durable durablePoint(long segment, long end) {
        long[] stored = new long[state.lanes()];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = state.lane(i).stored();
        }
        return new Durable(segment, end, state.nextSequence(), stored);
    }

    private long used() {
        return segments.bytes(begun ? number : 0, options.segmentBytes()) + position;
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

    private void closeFile() {
        Disk.File open = file;
        file = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // What was forced is there; what was not was promised to nobody.
            }
        }
    }

    /** Writes what waits and ends. Waits for it until {@code millis} are over; then what waits is left unwritten. */
    void close(long millis) throws InterruptedException {
        queue.close();
        thread.join(millis);
        queue.abandon();
        thread.join(millis);
    }
}
