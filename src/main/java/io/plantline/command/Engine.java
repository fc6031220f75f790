package io.plantline.command;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;

/** How commands make their Vert.x. */
final class Engine {
    private Engine() {}

    /** Native transport where there is one, and no cache of files, which a read-only root has no place for. */
    static Vertx start(int eventLoops) {
        return Vertx.vertx(new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventLoopPoolSize(Math.max(1, eventLoops))
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }
}
