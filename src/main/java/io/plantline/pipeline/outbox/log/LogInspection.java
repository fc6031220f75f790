package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What is in a log that nobody has open, read from its first byte to its last.
 *
 * @param state that its records add up to
 * @param segments files
 * @param groups groups of records that are whole
 * @param bytes that its records take
 * @param damage places that were durable once and are not what was written
 */
public record LogInspection(LogState state, int segments, long groups, long bytes, List<String> damage) {

    public LogInspection {
        damage = List.copyOf(damage);
    }

    /** What the records of a log add up to, without reading all of it. */
    public static LogState state(Disk disk) throws IOException {
        return new Recovery(new SalvagingDisk(disk), (segment, from, to) -> {})
                .run(1)
                .state();
    }

    /** Inspects a log; an unusable tail is no damage, since nothing of it was ever promised. */
    public static LogInspection of(Disk inspected) throws IOException {
        Disk disk = new SalvagingDisk(inspected);
        Recovery.Result found = new Recovery(disk, (segment, from, to) -> {}).run(1);
        List<String> damage = new ArrayList<>();
        found.ruined().forEach(segment -> damage.add(segment.name() + ", all of it"));
        List<Segment> segments = found.segments();
        long groups = 0;
        long bytes = 0;
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            long end = i == segments.size() - 1 ? Long.MAX_VALUE : Recovery.end(disk, segment, segments.get(i + 1));
            try (Disk.File file = disk.open(segment.name())) {
                SegmentScan scan = new SegmentScan(
                        file,
                        segment.number(),
                        0,
                        end,
                        (number, from, to) -> damage.add(segment.name() + ", bytes " + from + " to " + to));
                while (scan.next() != null) {
                    groups++;
                }
                bytes += scan.position();
            }
        }
        return new LogInspection(found.state(), segments.size(), groups, bytes, damage);
    }
}
