package io.plantline.plugin.target.file;

import io.plantline.model.Failure;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.plantline.spi.object.ObjectLayout.EncodedObject;
import io.vertx.core.Future;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;

/**
 * Writes each object to a temporary file, forces it to disk, and renames it: a reader never sees half a file. A name
 * carries the identity of its plan, so a file that is there already was written by an earlier attempt.
 */
final class FileTarget implements Target {
    private final FileTargetConfig config;
    private final TargetContext context;
    private final PayloadFormat format;

    FileTarget(FileTargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.format = Objects.requireNonNull(context.format());
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        return config.layout()
                .encode(batch, format, context::blocking)
                .compose(objects -> context.blocking(() -> write(objects)));
    }

    private Verdicts write(List<EncodedObject> objects) {
        try {
            for (EncodedObject object : objects) {
                write(config.directory().resolve(object.key()), object.bytes());
            }
            return Verdicts.allDelivered();
        } catch (AccessDeniedException e) {
            throw Failure.operator("access-denied", "no permission to write " + e.getMessage())
                    .asException();
        } catch (IOException e) {
            throw Failure.retry("io", e.getClass().getSimpleName() + ": " + e.getMessage())
                    .asException();
        }
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        Path folder = Objects.requireNonNull(file.getParent());
        if (Files.exists(file)) {
            // The attempt that wrote it may have failed just before this.
            force(folder);
            return;
        }
        createFolders(folder);
        Path temporary = folder.resolve("." + file.getFileName() + ".part");
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(false);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        force(folder);
    }

    /** Folders, each of them entered durably in the one above. */
    private static void createFolders(Path folder) throws IOException {
        Path above = folder.getParent();
        if (above != null && !Files.isDirectory(folder)) {
            createFolders(above);
            try {
                Files.createDirectory(folder);
            } catch (FileAlreadyExistsException e) {
                // Another lane was faster.
            }
            force(above);
        }
    }

    private static void force(Path folder) throws IOException {
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
