package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.EventExecutor;
import io.plantline.observe.Vitals;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.VertxInternal;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HouseTest {
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(3));

    @AfterEach
    void stop() throws Exception {
        get(vertx.close());
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    /** What /livez asks: a restart is due when any of them hangs, not only the one that answers. */
    @Test
    void vitalsComeOnlyIfEveryEventLoopTurns() throws Exception {
        House house = new House(
                vertx,
                PluginCatalog.load(Path.of("no-plugins")),
                source -> {
                    throw new IllegalStateException("there are no logs");
                },
                null);
        get(house.vitals());
        for (EventExecutor loop : ((VertxInternal) vertx).nettyEventLoopGroup()) {
            CountDownLatch release = new CountDownLatch(1);
            loop.execute(() -> awaitUninterruptibly(release));
            Future<Vitals> vitals;
            try {
                vitals = house.vitals();
                for (EventExecutor other : ((VertxInternal) vertx).nettyEventLoopGroup()) {
                    if (other != loop) {
                        other.submit(() -> {}).get(30, TimeUnit.SECONDS);
                    }
                }
                assertThat(vitals.isComplete()).isFalse();
            } finally {
                release.countDown();
            }
            get(vitals);
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
