package io.plantline.plugin.target.kafka;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Sends plans with Kafka's producer, on worker threads, many records at a time. */
final class KafkaTarget implements Target {
    private final KafkaTargetConfig config;
    private final TargetContext context;
    private final KnownCluster known;
    /** By outbox where there are transactions, since each has its own position in the cluster; else one for all. */
    private final Map<String, Link> links = new HashMap<>();

    private final Map<String, Future<Link>> opening = new HashMap<>();
    private boolean refreshCredential;
    private boolean closed;

    KafkaTarget(KafkaTargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.known = new KnownCluster(config.clusterIds(), context);
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        String outbox = config.transactions() ? batch.plan().outbox() : "";
        return link(outbox)
                .compose(open -> publish(open, batch).andThen(done -> {
                    if (open.failure() != null) {
                        links.remove(outbox, open);
                    }
                }));
    }

    private Future<Verdicts> publish(Link open, PublishBatch batch) {
        long watch =
                context.vertx().setPeriodic(Math.max(100, config.timeout().toMillis() / 4), id -> leaveIfSilent(open));
        return new Attempt(open, known, batch, context, new RecordMaker(config))
                .run()
                .recover(e -> {
                    open.giveUp(KafkaFailures.of(e));
                    // What is thrown by a producer that was given up before says nothing new.
                    return Future.failedFuture(
                            Objects.requireNonNull(open.failure()).asException());
                })
                .andThen(done -> context.vertx().cancelTimer(watch));
    }

    private void leaveIfSilent(Link open) {
        // Later than a call that waits itself, which knows better what for.
        if (open.silentNanos() > config.timeout().toNanos() * 5 / 4) {
            open.giveUp(Failure.retry("timeout", "no acknowledgement from " + config.bootstrapServers()));
        }
    }

    private Future<Link> link(String outbox) {
        Link open = links.get(outbox);
        if (open != null) {
            return Future.succeededFuture(open);
        }
        Future<Link> begun = opening.get(outbox);
        if (begun != null) {
            return begun;
        }
        Promise<Link> opened = Promise.promise();
        opening.put(outbox, opened.future());
        Future.succeededFuture().compose(v -> open(outbox)).onComplete(done -> {
            opening.remove(outbox);
            if (done.succeeded() && closed) {
                done.result().close();
                opened.fail("the target is closed");
                return;
            }
            if (done.succeeded()) {
                links.put(outbox, done.result());
            }
            opened.handle(done);
        });
        return opened.future();
    }

    private Future<Link> open(String outbox) {
        boolean refresh = refreshCredential;
        refreshCredential = false;
        Future<Optional<Credential>> credential = config.sasl()
                .map(sasl -> context.credential(sasl.credential(), refresh).map(Optional::of))
                .orElse(Future.succeededFuture(Optional.empty()));
        Optional<String> transactionalId =
                config.transactions() ? Optional.of("plantline-" + outbox) : Optional.empty();
        return credential
                .compose(some -> context.blocking(
                        () -> Link.open(context.vertx(), config, known, context.name(), transactionalId, some)))
                .recover(e -> {
                    Failure failure = KafkaFailures.of(e);
                    refreshCredential = failure.code().equals("not-authenticated");
                    return Future.failedFuture(failure.asException());
                });
    }

    @Override
    public Future<Void> close() {
        closed = true;
        List<Future<Void>> closing = links.values().stream()
                .map(open -> open.close().otherwiseEmpty())
                .toList();
        links.clear();
        return Future.all(closing).mapEmpty();
    }
}
