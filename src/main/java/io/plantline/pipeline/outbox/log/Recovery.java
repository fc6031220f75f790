package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what a log is after whatever happened to it. Only the newest segment is read, since each begins with a snapshot
 * of the state; older ones are needed only where that is damaged.
 */
final class Recovery {
    private final Disk disk;
    private final SegmentScan.Damage damage;
    private final List<Segment> segments = new ArrayList<>();
    private int epoch;
    private long lastEnd;
    private @Nullable Group lastGroup;

    /**
     * What was found.
     *
     * @param segments oldest first
     * @param lastNumber of any segment there ever was
     * @param lastEnd where the last segment ends
     * @param epoch of the last start
     */
    record Result(LogState state, List<Segment> segments, long lastNumber, long lastEnd, int epoch) {}

    Recovery(Disk disk, SegmentScan.Damage damage) {
        this.disk = disk;
        this.damage = damage;
    }

    /**
     * Recovers.
     *
     * @param lanes of the configuration, for a log that has nothing waiting
     */
    Result run(int lanes) throws IOException {
        disk.list().stream()
                .map(Segment::of)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .sorted(Comparator.comparingLong(Segment::number))
                .forEach(segments::add);
        long lastNumber =
                segments.isEmpty() ? 0 : segments.get(segments.size() - 1).number();
        dropUnborn();
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
        if (state.waiting() == 0 && state.lanes() != lanes) {
            state = state.withLanes(lanes);
        }
        return new Result(state, List.copyOf(segments), lastNumber, lastEnd, epoch);
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
                file.write(bytes.flip(), group.position());
                file.force();
            }
        }
    }

    /** A crash between the making of a file and its first group leaves one without any. */
    private void dropUnborn() throws IOException {
        while (!segments.isEmpty()) {
            Segment last = segments.get(segments.size() - 1);
            try (Disk.File file = disk.open(last.name())) {
                if (new SegmentScan(file, last.number(), 0, file.size(), (segment, start, end) -> {}).next() != null) {
                    return;
                }
            }
            disk.delete(last.name());
            segments.remove(segments.size() - 1);
        }
    }

    private void replay(int index, LogState state) throws IOException {
        Segment segment = segments.get(index);
        boolean last = index == segments.size() - 1;
        long end = last ? Long.MAX_VALUE : end(disk, segment, segments.get(index + 1));
        try (Disk.File file = disk.open(segment.name())) {
            SegmentScan scan = new SegmentScan(file, segment.number(), 0, end, damage);
            for (Group group = scan.next(); group != null; group = scan.next()) {
                epoch = Math.max(epoch, group.epoch());
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
