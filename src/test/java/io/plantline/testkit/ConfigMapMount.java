package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A folder with one document, changed as the kubelet changes a mounted ConfigMap: the new text in a folder of its own, then the
 * symbolic link {@code ..data} swapped, then the old folder removed.
 */
public final class ConfigMapMount {
    private static final String KEY = "config.json";

    private final Path folder;
    private Path current;
    private int version;

    private ConfigMapMount(Path folder) {
        this.folder = folder;
    }

    public static ConfigMapMount in(Path folder, String document) {
        try {
            ConfigMapMount mount = new ConfigMapMount(Files.createDirectories(folder));
            mount.swap(document);
            Files.createSymbolicLink(mount.file(), Path.of("..data", KEY));
            return mount;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a program is given as its configuration. */
    public Path file() {
        return folder.resolve(KEY);
    }

    public void swap(String document) {
        try {
            Path next = Files.createDirectory(folder.resolve("..2026_11_24_" + ++version));
            Files.writeString(next.resolve(KEY), document);
            Path link = Files.createSymbolicLink(folder.resolve("..data_tmp"), next.getFileName());
            Files.move(link, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
            Path old = current;
            current = next;
            if (old != null) {
                Files.delete(old.resolve(KEY));
                Files.delete(old);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
