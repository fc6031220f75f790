package io.plantline.plugin.target.file;

import io.plantline.model.Failure;
import io.plantline.spi.DurableFolders;
import io.plantline.spi.TargetContext;
import io.plantline.spi.object.ObjectStore;
import io.vertx.core.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file on its way: in memory while it is small, then in a temporary file beside it, which is forced to disk and renamed.
 * A reader never sees half a file. A name carries the identity of its plan, so a file that is there already was written by
 * an earlier attempt.
 */
final class FileDraft extends OutputStream implements ObjectStore.Draft {
    /** Many small files at once shall not take a file descriptor each. */
    private static final int IN_MEMORY = 256 << 10;

    /** A buffer grows by doubling, and stays. */
    static final long MOST_IN_MEMORY = 2 * IN_MEMORY;

    /** What the processor's cache still holds when it is written. */
    private static final int CHUNK = 64 << 10;

    private final TargetContext context;
    private final Path file;
    private final Path folder;
    private final Path temporary;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
    private @Nullable FileChannel channel;
    private @Nullable IOException failure;

    FileDraft(TargetContext context, Path file) {
        this.context = context;
        this.file = file;
        this.folder = Objects.requireNonNull(file.getParent());
        this.temporary = folder.resolve("." + file.getFileName() + ".part");
    }

    @Override
    public OutputStream stream() {
        return this;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] some, int offset, int length) {
        if (failure == null) {
            bytes.write(some, offset, length);
            if (bytes.size() > (channel == null ? IN_MEMORY : CHUNK)) {
                try {
                    spill();
                } catch (IOException e) {
                    failure = e;
                }
            }
        }
    }

    private FileChannel spill() throws IOException {
        FileChannel open = channel;
        if (open == null) {
            DurableFolders.create(folder);
            open = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
            channel = open;
        }
        bytes.writeTo(Channels.newOutputStream(open));
        bytes.reset();
        return open;
    }

    @Override
    public Future<Void> publish() {
        return context.<Void>blocking(() -> {
            try {
                show();
                return null;
            } catch (AccessDeniedException e) {
                throw Failure.operator("access-denied", "no permission to write " + e.getMessage())
                        .asException();
            } catch (IOException e) {
                throw Failure.retry("io", e.getClass().getSimpleName() + ": " + e.getMessage())
                        .asException();
            }
        });
    }

    private void show() throws IOException {
        if (Files.exists(file)) {
            // The attempt that wrote it may have failed just before this.
            DurableFolders.force(folder);
            remove();
            return;
        }
        if (failure != null) {
            remove();
            throw failure;
        }
        try (FileChannel open = spill()) {
            open.force(false);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        DurableFolders.force(folder);
    }

    @Override
    public Future<Void> discard() {
        return context.<Void>blocking(() -> {
            remove();
            return null;
        });
    }

    private void remove() throws IOException {
        FileChannel open = channel;
        if (open != null) {
            open.close();
            Files.deleteIfExists(temporary);
        }
    }
}
