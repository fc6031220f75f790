package io.plantline.pipeline.outbox;

import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.pipeline.outbox.log.FileDisk;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where the messages of an outbox are kept.
 *
 * @param outboxId unique over all plants, and in memory mode over all starts
 * @param folder of the log; none in memory mode
 * @param disks opens folders
 * @param minFreeBytes left on the disk
 * @param configuration hash of the document that runs, for dead letters
 */
public record Storage(
        String outboxId, Optional<Path> folder, Disk.Opener disks, long minFreeBytes, Supplier<String> configuration) {
    /** Without a folder. */
    public static Storage inMemory(String outboxId, Supplier<String> configuration) {
        return new Storage(outboxId, Optional.empty(), FileDisk::new, 0, configuration);
    }
}
