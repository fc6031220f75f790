package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Keeps damaged bytes, for whoever wants to look; a copy for each place, once, or a file of which nothing is left. */
final class Quarantine implements SegmentScan.Damage {
    private static final int MOST = 16 << 20;
    private static final String PREFIX = "quarantine-";

    private final Disk disk;
    private final Log.Listener listener;

    Quarantine(Disk disk, Log.Listener listener) {
        this.disk = disk;
        this.listener = listener;
    }

    /** The segment that a file was, of which nothing is left; null if it is another one. */
    static @Nullable Segment segment(String name) {
        return name.startsWith(PREFIX) ? Segment.of(name.substring(PREFIX.length())) : null;
    }

    /** Keeps a segment of which nothing can be read. */
    void keep(Segment segment) throws IOException {
        String name = PREFIX + segment.name();
        long size;
        try (Disk.File file = disk.open(segment.name())) {
            size = file.size();
        }
        disk.rename(segment.name(), name);
        listener.quarantined(segment.number(), 0, size, name);
    }

    @Override
    public void at(long segment, long from, long to) throws IOException {
        HexFormat hex = HexFormat.of();
        String name = PREFIX + hex.toHexDigits(segment) + "-" + hex.toHexDigits(from) + ".bin";
        if (disk.list().contains(name)) {
            return;
        }
        try {
            copy(segment, from, to, name);
            listener.quarantined(segment, from, to, name);
        } catch (IOException e) {
            // A full disk must not keep the rest from leaving. The bytes are where they were, until their segment goes.
            disk.delete(name);
            listener.quarantined(segment, from, to, null);
        }
    }

    private void copy(long segment, long from, long to, String name) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(MOST, to - from));
        for (String file : disk.list()) {
            Segment found = Segment.of(file);
            if (found != null && found.number() == segment) {
                try (Disk.File damaged = disk.open(file)) {
                    damaged.read(bytes, from);
                }
            }
        }
        try (Disk.File copy = disk.create(name)) {
            copy.write(bytes.flip(), 0);
        }
    }
}
