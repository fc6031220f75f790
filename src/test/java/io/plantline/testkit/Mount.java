package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** A file system of a test's own. Skips the calling test, and says so, where nobody may mount one. */
public final class Mount implements AutoCloseable {
    private final Path place;

    private Mount(Path place, String... how) {
        this.place = place;
        try {
            Files.createDirectories(place);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Assumptions.assumeTrue(mount(how), "SKIPPED: a file system can be mounted by root only");
    }

    /** In memory, of this size. */
    public static Mount memory(Path place, String size) {
        return new Mount(place, "-t", "tmpfs", "-o", "size=" + size, "plantline-test");
    }

    /** What is in an image. */
    public static Mount image(Path image, Path place) {
        return new Mount(place, "-o", "loop", image.toString());
    }

    /** An image with nothing in it but an ext4. */
    public static Path format(Path image, String size) {
        run("truncate", "-s", size, image.toString());
        Assumptions.assumeTrue(run("mkfs.ext4", "-q", image.toString()), "SKIPPED: there is no mkfs.ext4");
        return image;
    }

    public Path place() {
        return place;
    }

    private boolean mount(String... how) {
        String[] command = new String[how.length + 2];
        command[0] = "mount";
        System.arraycopy(how, 0, command, 1, how.length);
        command[how.length + 1] = place.toString();
        return run(command);
    }

    @Override
    public void close() {
        run("umount", "-l", place.toString());
    }

    private static boolean run(String... command) {
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
