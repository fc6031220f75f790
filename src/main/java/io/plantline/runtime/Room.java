package io.plantline.runtime;

import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The verticles of one section of the document, and the threads that they may block. */
final class Room<V extends Deployable> {
    private final Vertx vertx;
    private final WorkerExecutor workers;
    private final List<V> verticles = new CopyOnWriteArrayList<>();
    private @Nullable String deployment;

    /** A room with nobody in it. */
    Room(Vertx vertx, String name, int threads) {
        this.vertx = vertx;
        this.workers = vertx.createSharedWorkerExecutor("plantline-" + name, threads);
    }

    WorkerExecutor workers() {
        return workers;
    }

    /** Those that were opened. */
    List<V> verticles() {
        return verticles;
    }

    Future<Void> open(int instances, Supplier<V> verticle) {
        Supplier<Deployable> kept = () -> {
            V made = verticle.get();
            verticles.add(made);
            return made;
        };
        return vertx.deployVerticle(kept, new DeploymentOptions().setInstances(instances))
                .map(id -> {
                    deployment = id;
                    return null;
                });
    }

    /** Does something with one after the other, until it fails. */
    Future<Void> each(Function<V, Future<Void>> step) {
        Future<Void> all = Future.succeededFuture();
        for (V verticle : verticles) {
            all = all.compose(v -> step.apply(verticle));
        }
        return all;
    }

    Future<Void> close() {
        String open = deployment;
        deployment = null;
        return (open == null ? Future.<Void>succeededFuture() : vertx.undeploy(open)).eventually(workers::close);
    }
}
