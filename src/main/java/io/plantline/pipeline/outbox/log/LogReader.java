package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the messages of one lane in order, by position, never mapped into memory: a file that cannot be read is an
 * exception, not the end of the process. Used by one thread at a time.
 */
public final class LogReader {
    private final Disk disk;
    private final Segments segments;
    private final LogWriter writer;
    private final Quarantine quarantine;
    private final ReadFaults faults;
    private final int lane;
    private final long from;
    private LogState.@Nullable Gap gap;
    private long ordinal;
    private long segment = -1;
    private long position;

    LogReader(
            Disk disk,
            Segments segments,
            LogWriter writer,
            Quarantine quarantine,
            ReadFaults faults,
            int lane,
            long from,
            long ordinal,
            LogState.@Nullable Gap gap) {
        this.disk = disk;
        this.segments = segments;
        this.writer = writer;
        this.quarantine = quarantine;
        this.faults = faults;
        this.lane = lane;
        this.from = from;
        this.ordinal = ordinal;
        this.gap = gap;
    }

    /**
     * A batch of the lane, or a hole where damage took some.
     *
     * @param stored null for a hole
     * @param lost messages in the hole
     * @param next sequence that the lane goes on with behind it
     */
    public record Item(@Nullable Stored stored, int epoch, long lost, long next) {}

    /**
     * Messages in order.
     *
     * @param caughtUp whether the lane has no more on disk
     * @param ordinal messages of the lane up to here
     */
    public record Chunk(List<Item> items, boolean caughtUp, long ordinal) {}

    /**
     * Reads on until there are {@code maxBytes} or the durable end is reached.
     *
     * @throws IOException if the disk cannot be read; it is to be tried again. What cannot be read for long is read around
     */
    public Chunk read(long maxBytes) throws IOException {
        long atSegment = segment;
        long at = segment < 0 ? from : position;
        try {
            Chunk read = readOrStay(disk, maxBytes);
            faults.over(atSegment, at);
            return read;
        } catch (IOException e) {
            if (!faults.areLasting(atSegment, at)) {
                throw e;
            }
            return readOrStay(new SalvagingDisk(disk), maxBytes);
        }
    }

    private Chunk readOrStay(Disk readable, long maxBytes) throws IOException {
        long segmentBefore = segment;
        long positionBefore = position;
        long ordinalBefore = ordinal;
        LogState.Gap gapBefore = gap;
        try {
            return readOn(readable, maxBytes);
        } catch (IOException | RuntimeException e) {
            // What was read is not handed out, so it must be read again.
            gap = gapBefore;
            segment = segmentBefore;
            position = positionBefore;
            ordinal = ordinalBefore;
            throw e;
        }
    }

    private Chunk readOn(Disk readable, long maxBytes) throws IOException {
        SegmentWriter.Durable end = writer.durable();
        List<Item> items = new ArrayList<>();
        long bytes = 0;
        while (bytes < maxBytes) {
            Segment at = current();
            if (at == null || at.number() > end.segment()) {
                return caughtUp(items, end);
            }
            boolean last = at.number() == end.segment();
            long limit = last ? end.position() : segments.end(readable, at);
            bytes += readSegment(readable, at, limit, maxBytes - bytes, items);
            if (bytes < maxBytes) {
                if (last) {
                    return caughtUp(items, end);
                }
                segment = at.number() + 1;
                position = 0;
            }
        }
        return new Chunk(items, false, ordinal);
    }

    /** The segment to read in; if it was trimmed meanwhile, nothing of it was needed. */
    private @Nullable Segment current() {
        if (segment < 0) {
            Segment first = segments.holding(from);
            if (first != null) {
                segment = first.number();
            }
            return first;
        }
        Segment next = segments.after(segment - 1);
        if (next != null && next.number() != segment) {
            segment = next.number();
            position = 0;
        }
        return next;
    }

    private long readSegment(Disk readable, Segment at, long limit, long maxBytes, List<Item> items)
            throws IOException {
        List<Item> found = new ArrayList<>();
        long[] bytes = new long[1];
        long ordinalBefore = ordinal;
        LogState.Gap gapBefore = gap;
        try (Disk.File file = readable.open(at.name())) {
            SegmentScan scan = new SegmentScan(file, at.number(), position, limit, (number, start, stop) -> {
                if (segments.contains(number)) {
                    quarantine.at(number, start, stop);
                }
            });
            while (bytes[0] < maxBytes) {
                Group group = scan.next();
                if (group == null) {
                    break;
                }
                Records.read(scan.body(), group.records(), new Records.Visitor() {
                    @Override
                    public boolean wants(int some) {
                        return some == lane;
                    }

                    @Override
                    public void record(LogRecord record) {
                        if (record instanceof Stored stored) {
                            bytes[0] += take(stored, group.epoch(), found);
                        }
                    }
                });
            }
            position = scan.position();
        } catch (NoSuchFileException e) {
            if (segments.contains(at.number())) {
                throw e;
            }
        }
        if (!segments.contains(at.number())) {
            // Perhaps written anew while it was read.
            ordinal = ordinalBefore;
            gap = gapBefore;
            segment = at.number() + 1;
            position = 0;
            return 0;
        }
        items.addAll(found);
        return bytes[0];
    }

    private long take(Stored stored, int epoch, List<Item> found) {
        long end = stored.ordinal() + stored.batch().count();
        if (stored.first() < from || end <= ordinal || isDropped(stored)) {
            return 0;
        }
        passGap(stored.ordinal(), epoch, found);
        if (stored.ordinal() > ordinal) {
            found.add(new Item(null, epoch, stored.ordinal() - ordinal, stored.first()));
        }
        ordinal = end;
        found.add(new Item(stored, epoch, 0, stored.end()));
        return stored.batch().sizeInBytes();
    }

    /** Dropped, and still there because something else in its segment is needed. */
    private boolean isDropped(Stored stored) {
        LogState.Gap open = gap;
        return open != null && stored.first() >= open.keptEnd() && stored.first() < open.next();
    }

    /** Steps over the gap when the lane has come to what is behind it. */
    private void passGap(long reached, int epoch, List<Item> found) {
        LogState.Gap open = gap;
        if (open == null || reached < open.ordinal()) {
            return;
        }
        long kept = open.ordinal() - open.count();
        if (kept > ordinal) {
            found.add(new Item(null, epoch, kept - ordinal, open.next()));
        }
        ordinal = open.ordinal();
        gap = null;
    }

    private Chunk caughtUp(List<Item> items, SegmentWriter.Durable end) {
        long stored = lane < end.stored().length ? end.stored()[lane] : ordinal;
        passGap(stored, 0, items);
        if (stored > ordinal) {
            items.add(new Item(null, 0, stored - ordinal, end.nextSequence()));
            ordinal = stored;
        }
        return new Chunk(items, true, ordinal);
    }
}
