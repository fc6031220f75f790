package io.plantline.runtime;

import io.plantline.pipeline.outbox.log.Disk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/** Small files that are there as a whole, old or new, whatever happens while they are written. */
final class DurableFiles {
    private final Disk.Opener disks;

    DurableFiles(Disk.Opener disks) {
        this.disks = disks;
    }

    /** Replaces what is in a file; when this returns, a power cut does not take it back. */
    void write(Path file, String text) throws IOException {
        Disk disk = disks.open(Objects.requireNonNull(file.getParent()));
        String name = String.valueOf(file.getFileName());
        String draft = name + ".tmp";
        String mark = name + ".mark";
        disk.delete(draft);
        disk.create(mark).close();
        try (Disk.File out = disk.create(draft)) {
            out.write(StandardCharsets.UTF_8.encode(text), 0);
            out.force();
        }
        disk.rename(draft, name);
        disk.forceNames();
        // Fails where the file system has given its journal up, with the name in it, before it confirmed the force.
        disk.delete(mark);
    }
}
