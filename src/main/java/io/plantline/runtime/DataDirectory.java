package io.plantline.runtime;

import io.plantline.pipeline.SessionMemory;
import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.spi.DurableFolders;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The folder that outlives the process. One process at a time has it.
 *
 * <pre>
 *  format              what wrote it
 *  lock                held by the process that uses it
 *  document            the one that ran last
 *  session             client identifier, number of the broker's session, and the filters in it; session-1 and so on are those
 *                      of further connections
 *  targets/NAME-FINGERPRINT/
 *    known-NAME        what its plug-in remembers of the other side
 *    id                identity of this outbox, unique over all plants
 *    definition        what the document said of the target, so that another document cannot strand its messages
 *    *.log             its log
 *    raw/*.log         what is to be processed first, if the target has processors
 *    dead/*.log        its dead letters
 *  admin               where the running program listens for commands, and the token it asks for
 * </pre>
 */
public final class DataDirectory implements AutoCloseable {
    private static final String FORMAT = "plantline-data 3";
    /** Read like the newer one and marked as that: the program that wrote it does not know LZ4. */
    private static final String OLDER = "plantline-data 2";

    private static final String ADMIN = "admin";
    private static final String DEFINITION = "definition";
    private static final String DOCUMENT = "document";
    private static final int ID_BYTES = 12;

    /** As the schema says. */
    private static final int MAX_CONNECTIONS = 32;

    private final Path root;
    private final FileChannel lockFile;
    private final Disk.Opener disks;
    private final DurableFiles files;

    /** Opens a directory. */
    @FunctionalInterface
    public interface Opener {
        DataDirectory open(Path root) throws IOException;
    }

    /** The directory cannot be used, and what the operator can do about it. */
    public static class UnusableException extends IOException {
        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }

        UnusableException(String message, IOException cause) {
            super(message, cause);
        }
    }

    /** Another process uses it. */
    public static final class LockedException extends UnusableException {
        private static final long serialVersionUID = 1;

        LockedException(String message) {
            super(message);
        }
    }

    private DataDirectory(Path root, FileChannel lockFile, Disk.Opener disks) {
        this.disks = disks;
        this.files = new DurableFiles(disks);
        this.root = root;
        this.lockFile = lockFile;
    }

    /**
     * Opens the directory, and makes it if it is not there.
     *
     * @throws UnusableException if another process has it, another version has written it, or nothing can be written to it
     */
    public static DataDirectory open(Path root) throws UnusableException {
        return open(root, FileDisk::new);
    }

    /** The same, with other disks for what is in it. */
    public static DataDirectory open(Path root, Disk.Opener disks) throws UnusableException {
        try {
            DurableFolders.create(
                    root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            FileChannel lockFile =
                    FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            return take(root, lockFile, disks);
        } catch (UnusableException e) {
            throw e;
        } catch (IOException e) {
            throw new UnusableException(
                    "DATA-UNUSABLE: the data directory " + root + " cannot be used: " + e
                            + "; it must be a folder on a disk that this user may write to",
                    e);
        }
    }

    private static DataDirectory take(Path root, FileChannel lockFile, Disk.Opener disks) throws IOException {
        try {
            if (!lock(lockFile)) {
                throw new LockedException("DATA-LOCKED: another process uses the data directory " + root
                        + "; give each process a data-directory of its own");
            }
            checkFormat(root, disks);
            return new DataDirectory(root, lockFile, disks);
        } catch (IOException e) {
            lockFile.close();
            throw e;
        }
    }

    private static void checkFormat(Path root, Disk.Opener disks) throws IOException {
        Path format = root.resolve("format");
        String found = Files.exists(format) ? Files.readString(format).strip() : "";
        if (found.equals(FORMAT)) {
            // What a killed process had renamed may not be durable yet, and this one goes by it.
            DurableFolders.force(root);
        } else if (found.equals(OLDER) || !Files.exists(format)) {
            new DurableFiles(disks).write(format, FORMAT + "\n");
        } else {
            throw new UnusableException("DATA-VERSION: the data directory " + root + " is \"" + found
                    + "\" and this program knows \"" + FORMAT + "\" and \"" + OLDER
                    + "\"; run the version that wrote it until it is empty, nothing was changed");
        }
    }

    private static boolean lock(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** The folder of a target's log; its name says which, and never comes from a topic. */
    Path targetFolder(String target, String fingerprint) {
        try {
            Path folder = root.resolve("targets").resolve(target + "-" + fingerprint);
            DurableFolders.create(folder);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Folders with a log that no target of this configuration has. */
    List<Path> strangers(Set<Path> known) {
        return targetFolders().stream()
                .filter(folder -> !known.contains(folder))
                .toList();
    }

    /** Folders with a log. */
    List<Path> targetFolders() {
        Path targets = root.resolve("targets");
        if (!Files.isDirectory(targets)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(targets)) {
            return folders.filter(DataDirectory::holdsLog).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean holdsLog(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.anyMatch(file -> file.toString().endsWith(".log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Remembers what makes the target of a folder. */
    void define(Path folder, String source) {
        Path file = folder.resolve(DEFINITION);
        try {
            if (!Files.exists(file) || !Files.readString(file).equals(source)) {
                files.write(file, source);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What {@link #define} was told last. */
    String definition(Path folder) throws IOException {
        Path file = folder.resolve(DEFINITION);
        if (!Files.exists(file)) {
            throw new IOException("it has no definition");
        }
        return Files.readString(file);
    }

    /** Removes the folder of a target of which nothing is needed any more. */
    void removeTarget(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : all) {
            Files.delete(file);
        }
        disks.open(Objects.requireNonNull(folder.getParent())).forceNames();
    }

    /** The identity of the outbox in a folder, made when it was. */
    String outboxId(Path folder) {
        Path file = folder.resolve("id");
        try {
            if (!Files.exists(file)) {
                files.write(file, newOutboxId() + "\n");
            }
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Free on the disk. */
    long freeBytes() {
        return root.toFile().getUsableSpace();
    }

    Disk.Opener disks() {
        return disks;
    }

    /** Random, so that forty plants with one bucket never collide. */
    static String newOutboxId() {
        byte[] bits = new byte[ID_BYTES];
        new SecureRandom().nextBytes(bits);
        return HexFormat.of().formatHex(bits);
    }

    /** The session of a client's connection; another client identifier means another session. */
    SessionMemory sessions(Vertx vertx, String clientId, int connection) {
        try {
            return SessionFile.read(vertx, files, sessionFile(connection), clientId, connection);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path sessionFile(int connection) {
        return root.resolve(connection == 0 ? "session" : "session-" + connection);
    }

    /** How many connections of a client the broker may have sessions for, counted up to the last one. */
    int sessionsLeft(String clientId) {
        try {
            int left = 0;
            for (int connection = 0; connection < MAX_CONNECTIONS; connection++) {
                if (SessionFile.isInUse(sessionFile(connection), clientId)) {
                    left = connection + 1;
                }
            }
            return left;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps the document that runs. */
    public void keepDocument(String text) throws IOException {
        Path file = root.resolve(DOCUMENT);
        if (!Files.exists(file) || !Files.readString(file).equals(text)) {
            files.write(file, text);
        }
    }

    /** The document that ran last, if there was one and it can be read. */
    public static Optional<String> lastDocument(Path root) {
        try {
            return Optional.of(Files.readString(root.resolve(DOCUMENT)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The file that says where the running program listens. */
    public Path adminFile() {
        return root.resolve(ADMIN);
    }

    /** The same, of a directory that another process has. */
    public static Path adminFile(Path root) {
        return root.resolve(ADMIN);
    }

    /** Lets another process have it. */
    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
