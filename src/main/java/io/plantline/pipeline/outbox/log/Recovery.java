package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what a log is after whatever happened to it. Only the newest segment is read, since each begins with a snapshot
 * of the state; older ones are needed only where that is damaged.
 */
final class Recovery {
    private final Disk disk;
    private final SegmentScan.Damage damage;
    private final List<Segment> segments = new ArrayList<>();
    private final List<Segment> unborn = new ArrayList<>();
    private final List<Segment> ruined = new ArrayList<>();
    private long lastEnd;
    private @Nullable Group lastGroup;

    /**
     * What was found.
     *
     * @param segments oldest first
     * @param ruined newest ones that held something and of which nothing can be read
     * @param lastNumber of any segment there ever was
     * @param lastEnd where the last segment ends
     */
    record Result(LogState state, List<Segment> segments, List<Segment> ruined, long lastNumber, long lastEnd) {}

    Recovery(Disk disk, SegmentScan.Damage damage) {
        this.disk = disk;
        this.damage = damage;
    }

    /**
     * Recovers; changes nothing on the disk.
     *
     * @param lanes of the configuration, for a log that has nothing waiting
     */
    Result run(int lanes) throws IOException {
        List<String> names = disk.list();
        segments.addAll(named(names, Segment::of));
        List<Segment> everNamed = named(names, Quarantine::segment);
        everNamed.addAll(segments);
        setAside();
        int from = segments.size() - 1;
        Snapshot snapshot = null;
        while (from >= 0) {
            snapshot = snapshot(disk, segments.get(from));
            if (snapshot != null) {
                break;
            }
            from--;
        }
        LogState state = snapshot == null
                ? new LogState(lanes)
                : LogState.decode(snapshot.state().duplicate());
        for (int i = Math.max(0, from); i < segments.size(); i++) {
            replay(i, state);
        }
        long lastNumber = 0;
        for (Segment segment : everNamed) {
            lastNumber = Math.max(lastNumber, segment.number());
            state.goOnFrom(segment.base());
        }
        if (state.waiting() == 0 && state.lanes() != lanes) {
            state = state.withLanes(lanes);
        }
        return new Result(state, List.copyOf(segments), List.copyOf(ruined), lastNumber, lastEnd);
    }

    private static List<Segment> named(List<String> names, Function<String, @Nullable Segment> segmentOf) {
        List<Segment> found = new ArrayList<>();
        for (String name : names) {
            Segment segment = segmentOf.apply(name);
            if (segment != null) {
                found.add(segment);
            }
        }
        found.sort(Comparator.comparingLong(Segment::number));
        return found;
    }

    /**
     * Makes durable what was found. What a killed process had written may not be on the disk yet, and what is known is
     * acknowledged at once when it comes again. Only the last group can be concerned; it is written again, because if a force
     * had failed before, another one would succeed without having written it.
     */
    void secure() throws IOException {
        Group group = lastGroup;
        if (group != null) {
            Segment last = segments.get(segments.size() - 1);
            try (Disk.File file = disk.open(last.name())) {
                ByteBuffer bytes = ByteBuffer.allocate(Group.HEADER + group.bodyLength());
                file.read(bytes, group.position());
                if (!group.matches(bytes.flip().position(Group.HEADER).slice())) {
                    throw new IOException("the last group of " + last.name() + " cannot be read any more");
                }
                file.write(bytes.position(0), group.position());
                file.force();
            }
        }
    }

    /** The newest segments may hold no group: a crash between the making of a file and its first one leaves it so, or damage does. */
    private void setAside() throws IOException {
        while (!segments.isEmpty()) {
            Segment last = segments.get(segments.size() - 1);
            try (Disk.File file = disk.open(last.name())) {
                SegmentScan scan = new SegmentScan(file, last.number(), 0, file.size(), (segment, start, end) -> {});
                if (scan.next() != null) {
                    return;
                }
                (scan.heldSomething() ? ruined : unborn).add(last);
            }
            segments.remove(segments.size() - 1);
        }
    }

    /** Removes what holds nothing, and keeps elsewhere what held something. */
    void clear(Quarantine quarantine) throws IOException {
        for (Segment segment : unborn) {
            disk.delete(segment.name());
        }
        for (Segment segment : ruined) {
            quarantine.keep(segment);
        }
    }

    private void replay(int index, LogState state) throws IOException {
        Segment segment = segments.get(index);
        boolean last = index == segments.size() - 1;
        long end = last ? Long.MAX_VALUE : end(disk, segment, segments.get(index + 1));
        try (Disk.File file = disk.open(segment.name())) {
            SegmentScan scan = new SegmentScan(file, segment.number(), 0, end, damage);
            for (Group group = scan.next(); group != null; group = scan.next()) {
                lastGroup = group;
                Records.read(scan.body(), group.records(), state::apply);
            }
            lastEnd = scan.position();
        }
    }

    /** Where a segment ends, as the one behind it says, or {@link Long#MAX_VALUE} if that cannot be read. */
    static long end(Disk disk, Segment segment, Segment next) throws IOException {
        Snapshot snapshot = snapshot(disk, next);
        if (snapshot == null) {
            return Long.MAX_VALUE;
        }
        if (snapshot.previous() == segment.number()) {
            return snapshot.previousEnd();
        }
        // One that the log has turned away from, or one whose follower was dropped.
        return snapshot.previous() < segment.number() ? 0 : Long.MAX_VALUE;
    }

    /** The state at the beginning of a segment. */
    static @Nullable LogState stateBefore(Disk disk, Segment segment) throws IOException {
        Snapshot snapshot = snapshot(disk, segment);
        return snapshot == null ? null : LogState.decode(snapshot.state().duplicate());
    }

    private static @Nullable Snapshot snapshot(Disk disk, Segment segment) throws IOException {
        try (Disk.File file = disk.open(segment.name())) {
            SegmentScan scan = new SegmentScan(file, segment.number(), 0, Long.MAX_VALUE, (number, start, end) -> {});
            Group group = scan.next();
            if (group == null) {
                return null;
            }
            Snapshot[] found = new Snapshot[1];
            Records.read(scan.body(), group.records(), record -> {
                if (record instanceof Snapshot snapshot) {
                    found[0] = new Snapshot(snapshot.previous(), snapshot.previousEnd(), copy(snapshot.state()));
                }
            });
            return found[0];
        }
    }

    private static ByteBuffer copy(ByteBuffer state) {
        return ByteBuffer.allocate(state.remaining()).put(state.duplicate()).flip();
    }
}
