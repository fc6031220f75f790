package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes groups of records to the newest segment, each with one write and one force, and goes on in another when that is long
 * enough. What is not needed any more goes, as soon as a group that says so is durable.
 *
 * <p>After a failed force nothing is known of what was written, and a second force would succeed without having written
 * it. The segment is left as it was before, and what was to be written goes into a new one.
 */
final class SegmentWriter {
    private static final int BLOCK = 4_096;
    private static final int EXTENSION_MIN = 64 << 10;
    private static final int EXTENSION_MAX = 1 << 20;
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(EXTENSION_MIN).asReadOnlyBuffer();

    private final Disk disk;
    private final Log.Options options;
    private final Log.Listener listener;
    private final Segments segments;
    private final SpareFiles spares;
    private final LogState state;
    private final int epoch;
    private final Records.Writer records = new Records.Writer();

    private long number;
    private long position;
    private Disk.@Nullable File file;
    /** Whether this start has made a segment. */
    private boolean begun;
    /** Whether the newest segment was made where there is no room for messages. */
    private boolean cramped;
    /** How far the file of the newest segment reaches, durably: up to there nothing but its bytes changes. */
    private long length;
    /** Whether there may be something behind the position of the newest segment that did not become durable. */
    private boolean torn;
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

    SegmentWriter(Disk disk, Log.Options options, Log.Listener listener, Segments segments, Recovery.Result recovered)
            throws IOException {
        this.disk = disk;
        this.options = options;
        this.listener = listener;
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
    }

    int epoch() {
        return epoch;
    }

    /** Any thread may ask. */
    Durable durable() {
        return durable;
    }

    /** Bytes of the segments there are. Any thread may ask. */
    long usedBytes() {
        return usedBytes;
    }

    /** Whether the newest segment is longer than it should be. */
    boolean isOverlong() {
        return position > options.segmentBytes();
    }

    /**
     * Makes what is given durable. After an error none of it is, and it can be given again.
     *
     * @throws IOException if it cannot be written, also where that would leave too little room on the disk
     */
    void write(List<LogRecord> group) throws IOException {
        // What piles up beyond two segments may wait for long: that is when room on the disk is worth the time.
        records.compress(segments.list().size() > 2 ? Compression.SMALL : Compression.FAST);
        records.begin();
        group.forEach(records::add);
        int count = group.size();
        boolean needsRoom = group.stream().anyMatch(LogRecord::needsRoom);
        if (file == null || (needsRoom && cramped) || (holding && position + records.size() > options.segmentBytes())) {
            roll(needsRoom);
        }
        if (!holding) {
            records.begin();
            records.add(snapshot());
            group.forEach(records::add);
            count++;
        }
        Disk.File to = Objects.requireNonNull(file);
        Group.seal(records.buffer(), number, position, count, epoch);
        int size = records.size();
        append(to);
        records.shrink();
        group.forEach(state::apply);
        position = Group.aligned(position + size);
        bare = !holding && group.isEmpty();
        holding = true;
        durable = durablePoint(number, position);
        trim();
        usedBytes = used();
    }

    /** Goes on in another segment, which messages are not written to if there is no room for them. */
    void moveOn() throws IOException {
        roll(false);
    }

    /**
     * Moves on if nothing in the log is needed any more, which makes room of the segments there are.
     *
     * @return whether there is room now
     */
    boolean moveOnIfUnneeded() throws IOException {
        if (!holding || bare || state.lowWater() < state.nextSequence() || position < options.segmentBytes() / 8) {
            return false;
        }
        moveOn();
        write(List.of());
        return !spares.isScarce();
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
        if (holding && torn) {
            cutOff();
        }
        torn = false;
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
            force(file); // A killed process may have left it longer than it is on the disk.
            shorten(file, Math.max(0, file.size() - 1));
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
        // The next group says that this one is durable: a torn one before it would look like damage.
        append(created);
        position = Group.aligned(records.size());
    }

    /**
     * Makes the file end where the segment does. A group whose write or force has failed may be there all the same. That it does
     * not count is said only by the segment behind it, which may be removed before this one is. And what did not fit takes room.
     */
    private void cutOff() throws IOException {
        List<Segment> all = segments.list();
        length = position;
        try (Disk.File left = disk.open(all.get(all.size() - 1).name())) {
            left.truncate(position);
            left.force();
        }
    }

    /** Writes what is in the buffer behind what is durable, and forces it. */
    private void append(Disk.File to) throws IOException {
        ByteBuffer group = records.buffer().duplicate().flip();
        try {
            extend(to, position + group.remaining());
            to.write(group, position);
            force(to);
        } catch (IOException | RuntimeException e) {
            torn = true;
            throw e;
        }
    }

    /** Makes the file reach at least so far, and further where there is room. */
    private void extend(Disk.File to, long needed) throws IOException {
        if (needed <= length) {
            return;
        }
        long least = Math.min(EXTENSION_MIN, options.segmentBytes() / 8);
        long more = cramped ? 0 : Math.min(EXTENSION_MAX, Math.max(least, length));
        long end = Math.max(needed, Math.min(length + more, options.segmentBytes())) + 1;
        for (long at = length; at < end; at += ZEROS.capacity()) {
            to.write(ZEROS.duplicate().limit((int) Math.min(ZEROS.capacity(), end - at)), at);
        }
        force(to);
        shorten(to, end - 1);
    }

    /**
     * Takes a byte off the file, to learn whether its length and name are durable. A file system keeps those in a journal, and ext4 may
     * confirm a force although it has just given its journal up, because of damage anywhere; what needs the journal fails from then on.
     */
    private void shorten(Disk.File to, long end) throws IOException {
        to.truncate(end);
        length = end;
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

    /** What is durable stays so. */
    void close() {
        closeFile();
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
}
