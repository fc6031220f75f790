package io.plantline.plugin.target.kafka;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Sends plans with Kafka's producer, on worker threads, many records at a time. */
final class KafkaTarget implements Target {
    private final KafkaTargetConfig config;
    private final TargetContext context;
    private @Nullable Link link;
    private @Nullable Future<Link> opening;
    private boolean refreshCredential;

    KafkaTarget(KafkaTargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        return link(batch.plan().outbox()).compose(open -> publish(open, batch));
    }

    private Future<Verdicts> publish(Link open, PublishBatch batch) {
        long watch =
                context.vertx().setPeriodic(Math.max(100, config.timeout().toMillis() / 4), id -> leaveIfSilent(open));
        return new Attempt(open, batch, context, new RecordMaker(config))
                .run()
                .recover(e -> {
                    open.giveUp(KafkaFailures.of(e));
                    // What is thrown by a producer that was given up before says nothing new.
                    return Future.failedFuture(
                            Objects.requireNonNull(open.failure()).asException());
                })
                .andThen(done -> {
                    context.vertx().cancelTimer(watch);
                    if (open.failure() != null && link == open) {
                        link = null;
                    }
                });
    }

    private void leaveIfSilent(Link open) {
        // Later than a call that waits itself, which knows better what for.
        if (open.silentNanos() > config.timeout().toNanos() * 5 / 4) {
            open.giveUp(Failure.retry("timeout", "no acknowledgement from " + config.bootstrapServers()));
        }
    }

    private Future<Link> link(String outbox) {
        if (link != null) {
            return Future.succeededFuture(link);
        }
        if (opening == null) {
            opening = open(outbox).andThen(done -> {
                opening = null;
                link = done.succeeded() ? done.result() : null;
            });
        }
        return opening;
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
                        () -> Link.open(context.vertx(), config, context.name(), transactionalId, some)))
                .recover(e -> {
                    Failure failure = KafkaFailures.of(e);
                    refreshCredential = failure.code().equals("not-authenticated");
                    return Future.failedFuture(failure.asException());
                });
    }

    @Override
    public Future<Void> close() {
        Link open = link;
        link = null;
        return open == null ? Future.succeededFuture() : open.close().otherwiseEmpty();
    }
}
