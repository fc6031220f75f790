package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The log of one target on disk. */
public final class Log {
    private static final long READ_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final Disk disk;
    private final Listener listener;
    private final Segments segments;
    private final LogWriter writer;
    private final LogState recovered;
    private final ReadFaults faults = new ReadFaults();

    /**
     * What a log is to be.
     *
     * @param segmentBytes size of a segment file
     * @param minFreeBytes no new segment is begun when fewer would be left on the disk
     * @param groupNanos at least so long between two groups, so that what comes one by one is not forced one by one
     */
    public record Options(int segmentBytes, long minFreeBytes, long groupNanos) {
        private static final long GROUP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

        /** With the usual time between groups. */
        public Options(int segmentBytes, long minFreeBytes) {
            this(segmentBytes, minFreeBytes, GROUP_NANOS);
        }
    }

    /** Is told what an operator should know; on threads of the log. */
    public interface Listener {
        /** The disk refuses to write; nothing is lost, and it is tried again. */
        void failing(Exception cause);

        /** It writes again. */
        void recovered();

        /** What writes has ended: nothing more becomes durable until the program is started again. */
        void ended(Error cause);

        /** Bytes that were durable are damaged; what can be read of them is in {@code file}, if it could be copied. */
        void quarantined(long segment, long from, long to, @Nullable String file);
    }

    private Log(Disk disk, Listener listener, Segments segments, LogWriter writer, LogState recovered) {
        this.disk = disk;
        this.listener = listener;
        this.segments = segments;
        this.writer = writer;
        this.recovered = recovered;
    }

    /**
     * Opens a log and finds out what is in it.
     *
     * @param name for its thread
     * @param lanes wanted; a log in which messages wait keeps those it has
     * @param settle records to begin with, of what was found
     * @param callbacks runs what is to run when records are durable
     * @throws IOException if the disk cannot be read
     */
    public static Log open(
            String name,
            Disk disk,
            int lanes,
            Function<LogState, List<LogRecord>> settle,
            Options options,
            Listener listener,
            Executor callbacks)
            throws IOException {
        Quarantine quarantine = new Quarantine(new SalvagingDisk(disk), listener);
        Recovery.Result found = recover(disk, quarantine, lanes);
        LogState image = found.state().copy();
        Segments segments = new Segments(found.segments());
        LogWriter writer = new LogWriter(name, disk, options, listener, callbacks, segments, found);
        for (LogRecord record : settle.apply(image)) {
            image.apply(record);
            writer.submit(record, null);
        }
        return new Log(disk, listener, segments, writer, image);
    }

    /** What cannot be read, time and again, is damage; it must not keep the rest from being read. */
    private static Recovery.Result recover(Disk disk, Quarantine quarantine, int lanes) throws IOException {
        for (int failures = 0; ; failures++) {
            boolean lasting = failures == ReadFaults.LASTING;
            Recovery recovery = new Recovery(lasting ? new SalvagingDisk(disk) : disk, quarantine);
            try {
                Recovery.Result found = recovery.run(lanes);
                recovery.clear(quarantine);
                recovery.secure();
                return found;
            } catch (IOException e) {
                if (lasting) {
                    throw e;
                }
                LockSupport.parkNanos(READ_AGAIN_NANOS);
            }
        }
    }

    /** What was there when the log was opened. */
    public LogState recovered() {
        return recovered;
    }

    /** Number of this start; messages that are appended now belong to it. */
    public int epoch() {
        return writer.epoch();
    }

    /** Queues a record; {@code durable} runs when it is. */
    public void submit(LogRecord record, @Nullable Runnable durable) {
        writer.submit(record, durable);
    }

    /** Queues a record that nobody waits for: it is written with the next one that somebody does, or soon by itself. */
    public void submitLazily(LogRecord record, @Nullable Runnable durable) {
        writer.submitLazily(record, durable);
    }

    /** Bytes of the segments there are. */
    public long usedBytes() {
        return writer.usedBytes();
    }

    /** Messages that a lane ever got and that are durable, those that are gone again too. */
    public long stored(int lane) {
        return writer.durable().stored()[lane];
    }

    /** A reader of one lane's messages that were there when the log was opened, and of those after. */
    public LogReader reader(int lane) {
        LogState.Lane at = recovered.lane(lane);
        return reader(lane, at.cursor(), at.ordinal(), at.gap());
    }

    /**
     * A reader of one lane.
     *
     * @param from first sequence to read
     * @param ordinal messages of the lane before it
     */
    public LogReader reader(int lane, long from, long ordinal) {
        return reader(lane, from, ordinal, null);
    }

    /**
     * A reader of one lane.
     *
     * @param from first sequence to read
     * @param ordinal messages of the lane before it
     * @param gap messages behind it that are not to be read
     */
    public LogReader reader(int lane, long from, long ordinal, LogState.@Nullable Gap gap) {
        return new LogReader(
                disk,
                segments,
                writer,
                new Quarantine(new SalvagingDisk(disk), listener),
                faults,
                lane,
                from,
                ordinal,
                gap);
    }

    /**
     * A place at which a segment begins.
     *
     * @param sequence of the first message behind it
     * @param ordinals messages of each lane before it
     */
    public record Cut(long sequence, long[] ordinals) {}

    /**
     * The first place behind a message such that room comes free when everything before it goes; blocks.
     *
     * @param after sequence
     * @return nothing if the log is too short for that
     */
    public Optional<Cut> cut(long after) throws IOException {
        List<Segment> now = segments.list();
        // The newest two segments always stay.
        for (int i = 1; i < now.size() - 1; i++) {
            if (now.get(i).base() > after && now.get(i - 1).base() >= after) {
                LogState state = Recovery.stateBefore(disk, now.get(i));
                if (state != null) {
                    long[] ordinals = new long[state.lanes()];
                    Arrays.setAll(ordinals, lane -> state.lane(lane).stored());
                    return Optional.of(new Cut(now.get(i).base(), ordinals));
                }
            }
        }
        return Optional.empty();
    }

    /** Writes what waits and closes; gives up after {@code millis}. */
    public void close(long millis) throws InterruptedException {
        writer.close(millis);
    }
}
