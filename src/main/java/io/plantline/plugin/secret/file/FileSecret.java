package io.plantline.plugin.secret.file;

import io.plantline.model.Credential;
import io.plantline.spi.SecretProvider;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.file.Path;
import java.time.Duration;

/** Reads both files anew each time, so that a rotated secret is used at the next connection. */
final class FileSecret implements SecretProvider {
    private final Path directory;
    private final Vertx vertx;

    FileSecret(Path directory, Vertx vertx) {
        this.directory = directory;
        this.vertx = vertx;
    }

    @Override
    public Future<Credential> read() {
        return file("username")
                .compose(user -> file("password")
                        .map(password -> new Credential(user.toString().strip(), withoutLineEnd(password.getBytes()))));
    }

    /** The kubelet swaps a mounted secret within a minute or so; that it did should be seen soon. */
    @Override
    public Duration freshFor() {
        return Duration.ofSeconds(5);
    }

    private Future<Buffer> file(String name) {
        return vertx.fileSystem().readFile(directory.resolve(name).toString());
    }

    /** Editors end files with a line end that is no part of a password. */
    private static byte[] withoutLineEnd(byte[] bytes) {
        int length = bytes.length;
        while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
            length--;
        }
        return java.util.Arrays.copyOf(bytes, length);
    }
}
