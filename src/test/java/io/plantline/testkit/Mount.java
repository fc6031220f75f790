package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** A file system of a test's own. Skips the calling test, and says so, where nobody may mount one. */
public final class Mount implements AutoCloseable {
    private final Path place;
    private final String[] how;

    private Mount(Path place, String... how) {
        this.place = place;
        this.how = how;
        try {
            Files.createDirectories(place);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Assumptions.assumeTrue(mount(), "SKIPPED: a file system can be mounted by root only");
    }

    /** In memory, of this size. */
    public static Mount memory(Path place, String size) {
        return new Mount(place, "-t", "tmpfs", "-o", "size=" + size, "plantline-test");
    }

    /** What is in an image; if the kernel finds it damaged, nobody writes to it any more. */
    public static Mount image(Path image, Path place) {
        return new Mount(place, "-o", "loop,errors=remount-ro", image.toString());
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

    /** The kernel finds an image damaged, or its disk gone. */
    public void damage() {
        try {
            Process find = new ProcessBuilder("findmnt", "-n", "-o", "SOURCE", place.toString()).start();
            String device = new String(find.getInputStream().readAllBytes()).trim();
            Files.writeString(Path.of("/sys/fs/ext4", Path.of(device).getFileName() + "", "trigger_fs_error"), "1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Somebody looks after an image, which nothing may use meanwhile. */
    public void repair() {
        if (!run("umount", place.toString())) {
            throw new IllegalStateException(place + " is in use");
        }
        run("e2fsck", "-fy", how[how.length - 1]);
        if (!mount()) {
            throw new IllegalStateException(how[how.length - 1] + " cannot be mounted");
        }
    }

    private boolean mount() {
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
