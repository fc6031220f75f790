package io.plantline.command;

import io.plantline.admin.AdminClient;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.IdleDirectory;
import io.plantline.runtime.Operations;
import io.plantline.runtime.Reloads;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which data directory a command is about. While a program runs on it, that one is asked. */
final class DataOption {
    @Option(
            names = {"-d", "--data-directory"},
            paramLabel = "DIR",
            defaultValue = "${env:EDGE_DATA_DIR}",
            description = "The data directory. Default: the variable EDGE_DATA_DIR.")
    private @Nullable Path directory;

    /** Something to ask; may throw what the answer says. */
    interface Question<T> {
        Future<T> ask(Operations operations);
    }

    /** Something that only a directory can answer that no program uses. */
    interface IdleQuestion<T> {
        Future<T> ask(IdleDirectory directory);
    }

    <T> T ask(Question<T> question) throws Exception {
        Path root = root();
        try {
            return askIdle(question::ask);
        } catch (DataDirectory.LockedException e) {
            return result(question.ask(new AdminClient(DataDirectory.adminFile(root))));
        }
    }

    /**
     * Asks the directory itself.
     *
     * @throws DataDirectory.LockedException if a program uses it
     */
    <T> T askIdle(IdleQuestion<T> question) throws Exception {
        Path root = root();
        Vertx vertx = Engine.start(1);
        try (DataDirectory data = DataDirectory.open(root)) {
            return result(question.ask(new IdleDirectory(vertx, data)));
        } finally {
            result(vertx.close());
        }
    }

    /** Something that only a running program can answer. */
    interface RunningQuestion<T> {
        Future<T> ask(Reloads program);
    }

    <T> T askRunning(RunningQuestion<T> question) throws Exception {
        Path admin = DataDirectory.adminFile(root());
        if (!Files.exists(admin)) {
            throw new Operations.RefusedException("no program runs on " + root());
        }
        return result(question.ask(new AdminClient(admin)));
    }

    private Path root() throws IOException {
        Path root = directory;
        if (root == null || root.toString().isEmpty()) {
            throw new DocumentSource.NoDocumentException(
                    "which data directory? Give --data-directory or EDGE_DATA_DIR");
        }
        if (!Files.isRegularFile(root.resolve("format"))) {
            throw new DocumentSource.NoDocumentException(root + " is not a data directory");
        }
        return root;
    }

    private static <T> T result(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }
}
