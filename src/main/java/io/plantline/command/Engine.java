package io.plantline.command;

import io.plantline.cluster.ClusteredBus;
import io.plantline.config.ClusterConfig;
import io.plantline.config.MutualTls;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** How commands make their Vert.x. */
final class Engine {
    private static final long JOIN_SECONDS = 60;

    private Engine() {}

    /** Native transport where there is one, and no cache of files, which a read-only root has no place for. */
    static Vertx start(int eventLoops) {
        return Vertx.vertx(options(eventLoops));
    }

    /** The same, with an event bus that reaches the other nodes. */
    static Vertx join(int eventLoops, ClusterConfig cluster, Optional<MutualTls> tls) throws Exception {
        return ClusteredBus.join(options(eventLoops), cluster, tls)
                .toCompletionStage()
                .toCompletableFuture()
                .get(JOIN_SECONDS, TimeUnit.SECONDS);
    }

    private static VertxOptions options(int eventLoops) {
        return new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventLoopPoolSize(Math.max(1, eventLoops))
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false));
    }
}
