package io.plantline.runtime;

import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.spi.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a plug-in remembers: in a file per name, where there is a folder for them. */
final class SectionMemory implements Memory {
    private static final Logger LOG = LoggerFactory.getLogger(SectionMemory.class);
    private static final String PREFIX = "known-";

    private final @Nullable Path folder;
    private final @Nullable DurableFiles files;
    private final Map<String, String> known = new HashMap<>();

    /** One that lasts as long as the process. */
    SectionMemory() {
        this.folder = null;
        this.files = null;
    }

    SectionMemory(Path folder, Disk.Opener disks) {
        this.folder = folder;
        this.files = new DurableFiles(disks);
    }

    @Override
    public synchronized Optional<String> recall(String name) {
        String text = known.get(name);
        if (text == null && folder != null) {
            text = read(folder.resolve(PREFIX + name));
            if (text != null) {
                known.put(name, text);
            }
        }
        return Optional.ofNullable(text);
    }

    private static @Nullable String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file).strip() : null;
        } catch (IOException e) {
            LOG.warn("MEMORY-DAMAGED: {} cannot be read, what it says counts as forgotten: {}", file, e.toString());
            return null;
        }
    }

    @Override
    public synchronized void remember(String name, String text) {
        known.put(name, text);
        if (folder != null && files != null) {
            Path file = folder.resolve(PREFIX + name);
            try {
                files.write(file, text + "\n");
            } catch (IOException e) {
                LOG.warn("MEMORY-LOST: {} cannot be written, the next start will not know it: {}", file, e.toString());
            }
        }
    }
}
