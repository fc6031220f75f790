package io.plantline.pipeline.outbox;

import io.plantline.config.TargetDefinition;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogRecord;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * The logs of a target.
 *
 * @param ready messages to publish
 * @param raw messages to process first, if the target has processors
 */
record TargetLogs(Log ready, Optional<Log> raw) {
    /** Folder of the raw log, in that of the ready one. */
    static final String RAW = "raw";

    private static final long CLOSE_MILLIS = 5_000;

    /**
     * Opens them.
     *
     * @param processed whether the target has processors
     * @param folder of the ready log; the raw one is in a folder in it
     * @param disks opens folders
     */
    static TargetLogs open(
            TargetDefinition target,
            boolean processed,
            Path folder,
            Disk.Opener disks,
            long minFreeBytes,
            DiskTrouble trouble,
            Executor callbacks)
            throws IOException, InterruptedException {
        Opening opening = new Opening(
                target.name(),
                disks,
                new Log.Options(segmentBytes(16 << 20, target.limits().maxBytes()), minFreeBytes),
                trouble,
                callbacks);
        Log ready = opening.open(folder, target.lanes(), state -> List.of());
        if (!processed) {
            return new TargetLogs(ready, Optional.empty());
        }
        LogState made = ready.recovered();
        Log raw = opening.open(folder.resolve(RAW), made.lanes(), state -> List.copyOf(settled(made, state)));
        int lanes = raw.recovered().lanes();
        if (lanes != made.lanes()) {
            // Messages wait in the raw log only, and keep its lanes.
            ready.close(CLOSE_MILLIS);
            ready = opening.open(folder, lanes, state -> List.of());
        }
        return new TargetLogs(ready, Optional.of(raw));
    }

    private record Opening(
            String name, Disk.Opener disks, Log.Options options, DiskTrouble trouble, Executor callbacks) {
        Log open(Path folder, int lanes, Function<LogState, List<LogRecord>> settle) throws IOException {
            return Log.open(name, disks.open(folder), lanes, settle, options, trouble, callbacks);
        }
    }

    /** What the ready log has, and the raw one does not know of yet. */
    private static List<Committed> settled(LogState ready, LogState raw) {
        List<Committed> records = new ArrayList<>();
        for (int lane = 0; lane < Math.min(ready.lanes(), raw.lanes()); lane++) {
            Origin origin = ready.lane(lane).origin();
            if (origin != null && origin.last() >= raw.lane(lane).cursor()) {
                records.add(
                        new Committed(lane, origin.last(), origin.passed(), origin.filtered(), origin.deadLettered()));
            }
        }
        return records;
    }

    /** A small limit needs small segments: space comes free by the segment, and the newest one stays. */
    static int segmentBytes(int usual, long maxBytes) {
        return (int) Math.max(64 << 10, Math.min(usual, maxBytes / 8));
    }

    /**
     * The books over both: a message is accepted by the first and delivered by the last, which may have accepted others that were
     * processed elsewhere.
     */
    TargetLedger.Totals totals() {
        return totals(raw.orElse(ready).recovered(), ready.recovered(), raw.isPresent());
    }

    /**
     * The same.
     *
     * @param two whether {@code first} and {@code last} are two
     */
    static TargetLedger.Totals totals(LogState first, LogState last, boolean two) {
        List<LogState> all = two ? List.of(first, last) : List.of(last);
        return new TargetLedger.Totals(
                first.accepted() + (two ? fromElsewhere(first, last) : 0),
                last.delivered(),
                sum(all, LogState::filtered),
                sum(all, LogState::deadLettered),
                sum(all, state -> state.lost(Loss.DROPPED)),
                sum(all, state -> state.lost(Loss.EXPIRED)),
                sum(all, state -> state.lost(Loss.PURGED)),
                sum(all, state -> state.lost(Loss.QUARANTINED)));
    }

    /** Messages that the last log has accepted and the first has not passed on, or not noted yet that it has. */
    private static long fromElsewhere(LogState first, LogState last) {
        long noted = first.delivered()
                + settled(last, first).stream().mapToLong(Committed::delivered).sum();
        return last.accepted() - noted;
    }

    private static long sum(List<LogState> states, ToLongFunction<LogState> of) {
        return states.stream().mapToLong(of).sum();
    }
}
