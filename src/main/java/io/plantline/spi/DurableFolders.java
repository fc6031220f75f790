package io.plantline.spi;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;

/** Folders whose names a power cut does not take: to force a file does not force what leads to it (fsync(2)). */
public final class DurableFolders {
    private DurableFolders() {}

    /**
     * Makes a folder and those above it, where they are not there yet, each entered durably in the one above.
     *
     * @param attributes of those that are made
     */
    public static void create(Path folder, FileAttribute<?>... attributes) throws IOException {
        Path above = folder.toAbsolutePath().getParent();
        if (above != null && !Files.isDirectory(folder)) {
            create(above, attributes);
            try {
                Files.createDirectory(folder, attributes);
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(folder)) {
                    throw e;
                }
                // Somebody else was faster.
            }
            force(above);
        }
    }

    /** Makes durable what is in a folder and what it is called there. */
    public static void force(Path folder) throws IOException {
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
