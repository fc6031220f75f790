package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Keeps a copy of damaged bytes, for whoever wants to look; once for each place. */
final class Quarantine implements SegmentScan.Damage {
    private static final int MOST = 16 << 20;

    private final Disk disk;
    private final Log.Listener listener;

    Quarantine(Disk disk, Log.Listener listener) {
        this.disk = disk;
        this.listener = listener;
    }

    @Override
    public void at(long segment, long from, long to) throws IOException {
        HexFormat hex = HexFormat.of();
        String name = "quarantine-" + hex.toHexDigits(segment) + "-" + hex.toHexDigits(from) + ".bin";
        if (disk.list().contains(name)) {
            return;
        }
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
        listener.quarantined(segment, from, to, name);
    }
}
