package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.List;

/**
 * Files that wait to become segments: one that was a segment, in which writing takes no room, and a small one for when there is no
 * room at all.
 */
final class SpareFiles {
    private static final String SPARE = "spare";
    private static final String RESERVE = "reserve";
    private static final int RESERVE_BYTES = 64 << 10;

    private final Disk disk;
    private final Log.Options options;
    private boolean spare;
    private long spareBytes;
    private boolean reserve;

    SpareFiles(Disk disk, Log.Options options) throws IOException {
        this.disk = disk;
        this.options = options;
        List<String> names = disk.list();
        this.spare = names.contains(SPARE);
        this.spareBytes = spare ? size(SPARE) : 0;
        this.reserve = names.contains(RESERVE) && size(RESERVE) >= reserveBytes();
    }

    /** Whether another segment of the usual size would leave less on the disk than there should be. */
    boolean isScarce() throws IOException {
        if ((spare && spareBytes >= options.segmentBytes() / 2) || hasRoom()) {
            return false;
        }
        if (spare) {
            spare = false; // A small one is worth less than the room that it takes.
            disk.delete(SPARE);
            return !hasRoom();
        }
        return true;
    }

    private boolean hasRoom() throws IOException {
        return disk.usableBytes() >= options.minFreeBytes() + options.segmentBytes();
    }

    /**
     * Names a file as a segment, if there is one.
     *
     * @param scarce whether to take the small one if there is no other
     */
    void become(Segment next, boolean scarce) throws IOException {
        if (spare) {
            rename(SPARE, next);
            spare = false;
        } else if (scarce && reserve) {
            rename(RESERVE, next);
            reserve = false;
        }
    }

    /** Whoever needed room may have taken it away. */
    private void rename(String name, Segment next) throws IOException {
        try {
            disk.rename(name, next.name());
        } catch (NoSuchFileException e) {
            // Then a new file is made.
        }
    }

    /** Takes a segment that is not needed any more. */
    void take(Segment old) throws IOException {
        if (spare) {
            disk.delete(old.name());
        } else {
            spareBytes = size(old.name());
            disk.rename(old.name(), SPARE);
            spare = true;
        }
    }

    private long size(String name) throws IOException {
        try (Disk.File file = disk.open(name)) {
            return file.size();
        }
    }

    private int reserveBytes() {
        return Math.min(RESERVE_BYTES, options.segmentBytes() / 2);
    }

    /** While there is room: makes the small one, if there is none. */
    void keepReserve() {
        if (reserve) {
            return;
        }
        try {
            try (Disk.File file = disk.create(RESERVE)) {
                file.write(ByteBuffer.allocate(reserveBytes()), 0);
                file.force();
                reserve = true;
            } finally {
                if (!reserve) {
                    disk.delete(RESERVE);
                }
            }
        } catch (IOException e) {
            // Without it nothing leaves a disk on which nothing can be written, until somebody makes room.
        }
    }
}
