package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A folder whose process ends, as by SIGKILL, at a point of the log's way to the disk. */
public class CrashingDisk extends ForwardingDisk {
    private static final AtomicInteger LEFT = new AtomicInteger();
    private static volatile @Nullable Point armed;
    private static volatile Pattern file = Pattern.compile(".*");
    private static volatile Path trigger = Path.of("/");
    private final Path folder;

    /** Where the process ends. */
    public enum Point {
        BEFORE_WRITE,
        HALF_WRITE,
        AFTER_WRITE_BEFORE_FORCE,
        AFTER_FORCE_BEFORE_ACKNOWLEDGEMENT,
        BEFORE_RENAME,
        AFTER_RENAME,
        BEFORE_NAMES_ARE_FORCED
    }

    public CrashingDisk(Path folder) throws IOException {
        super(new FileDisk(folder));
        this.folder = folder;
    }

    /**
     * Ends the process at a point when it has passed so many times, with files whose path is like this, and once another
     * file is there.
     */
    public static void arm(Point point, int passes, String like, Path onceThere) {
        file = Pattern.compile(like);
        trigger = onceThere;
        LEFT.set(passes);
        armed = point;
    }

    private static boolean isTime(Point point, Path at) {
        return armed == point
                && file.matcher(at.toString()).matches()
                && Files.exists(trigger)
                && LEFT.getAndDecrement() == 0;
    }

    private static void at(Point point, Path file) {
        if (isTime(point, file)) {
            Runtime.getRuntime().halt(137);
        }
    }

    @Override
    public File create(String name) throws IOException {
        return new CrashingFile(super.create(name), folder.resolve(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        at(Point.BEFORE_RENAME, folder.resolve(to));
        super.rename(from, to);
        at(Point.AFTER_RENAME, folder.resolve(to));
    }

    @Override
    public void forceNames() throws IOException {
        at(Point.BEFORE_NAMES_ARE_FORCED, folder);
        super.forceNames();
    }

    private static final class CrashingFile extends ForwardingFile {
        private final Path path;

        CrashingFile(File file, Path path) {
            super(file);
            this.path = path;
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            at(Point.BEFORE_WRITE, path);
            if (isTime(Point.HALF_WRITE, path)) {
                super.write(from.duplicate().limit(from.position() + from.remaining() / 2), position);
                Runtime.getRuntime().halt(137);
            }
            super.write(from, position);
            at(Point.AFTER_WRITE_BEFORE_FORCE, path);
        }

        @Override
        public void force() throws IOException {
            super.force();
            at(Point.AFTER_FORCE_BEFORE_ACKNOWLEDGEMENT, path);
        }
    }
}
