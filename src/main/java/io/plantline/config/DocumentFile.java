package io.plantline.config;

import io.vertx.config.ConfigRetriever;
import io.vertx.config.ConfigRetrieverOptions;
import io.vertx.config.ConfigStoreOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The document in one file, which may be a key of a mounted ConfigMap: there the kubelet swaps a symbolic link, so that one
 * read sees the old or the new text and never a part. It is the only store, and read as text: nothing is merged into it, and
 * a subscription that is gone from it is gone.
 */
public final class DocumentFile {
    private static final Logger LOG = LoggerFactory.getLogger(DocumentFile.class);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final String TEXT = "text";

    private final Vertx vertx;
    private final Path file;
    private int failures;

    /** A file that is not looked at yet. */
    public DocumentFile(Vertx vertx, Path file) {
        this.vertx = vertx;
        this.file = file.toAbsolutePath();
    }

    /**
     * Tells of every text that is not the one before; the first that it sees, too.
     *
     * @param unreadable told why there is none any more; {@code changed} is told of the next, whatever it is
     */
    public void watch(Consumer<String> changed, Consumer<String> unreadable) {
        warnOfSubPath();
        ConfigStoreOptions store = new ConfigStoreOptions()
                .setType("file")
                .setFormat("raw")
                .setConfig(new JsonObject()
                        .put("path", file.toString())
                        .put("raw.key", TEXT)
                        .put("raw.type", "string"));
        ConfigRetriever retriever = ConfigRetriever.create(
                vertx,
                new ConfigRetrieverOptions()
                        .setIncludeDefaultStores(false)
                        .setScanPeriod(LOOK.toMillis())
                        .addStore(store));
        retriever
                .configStream()
                .exceptionHandler(cause -> {
                    // Once may be the moment in which the kubelet swaps.
                    if (++failures == 2) {
                        LOG.error(
                                "CONFIG-UNREADABLE: {} cannot be read; what runs goes on as it is: {}",
                                file,
                                cause.getMessage());
                        unreadable.accept(file + " cannot be read: " + cause.getMessage());
                        awaitReadable(changed);
                    }
                })
                .handler(config -> {
                    failures = 0;
                    changed.accept(config.getString(TEXT));
                });
    }

    /** The stream does not tell of a text that is back as it was. */
    private void awaitReadable(Consumer<String> changed) {
        vertx.setTimer(
                LOOK.toMillis(),
                id -> read().onSuccess(text -> {
                            failures = 0;
                            changed.accept(text);
                        })
                        .onFailure(e -> awaitReadable(changed)));
    }

    /** The text of now. */
    public Future<String> read() {
        return vertx.fileSystem().readFile(file.toString()).map(Buffer::toString);
    }

    /** A file that was mounted by subPath stays the file that it was, whatever becomes of the ConfigMap. */
    private void warnOfSubPath() {
        try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mountinfo"))) {
            // The fifth field is the mount point (proc(5)), with spaces as \040.
            if (mounts.map(line -> line.split(" "))
                    .anyMatch(fields ->
                            fields.length > 4 && fields[4].replace("\\040", " ").equals(file.toString()))) {
                LOG.warn(
                        "CONFIG-SUBPATH: {} is a mount of its own, as subPath makes it: it will never change; mount the"
                                + " ConfigMap as a directory",
                        file);
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("mounts are not known: {}", e.toString());
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
