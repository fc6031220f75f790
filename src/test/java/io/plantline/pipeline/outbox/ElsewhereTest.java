package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Material;
import io.plantline.config.TargetDefinition;
import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.plugin.target.mqtt.MqttTargetFactory;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An outbox whose publishers are on other nodes, as far as it knows. */
class ElsewhereTest {
    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private static TargetDefinition triedAgainAfterAnHour() {
        return new TargetDefinition(
                "t",
                new MqttTargetFactory(),
                "unused",
                Optional.empty(),
                List.of(),
                Optional.empty(),
                100,
                1 << 20,
                Duration.ZERO,
                2,
                1,
                Duration.ofHours(1),
                Duration.ofHours(1),
                new TargetDefinition.Limits(1 << 20, OnFull.BLOCK, Duration.ZERO, 1 << 20, 0),
                true,
                Material.NONE,
                "f",
                "{}");
    }

    @Test
    void whatFailedBecauseNobodyWasThereIsTriedWhenAPublisherIs() throws Exception {
        PipelineCodec.registerAll(vertx.eventBus());
        TargetLedger ledger = new TargetLedger("t");
        OutboxVerticle outbox = new OutboxVerticle(
                triedAgainAfterAnHour(),
                List.of(),
                Storage.inMemory("outbox", () -> "hash"),
                ledger,
                name -> null,
                new Reach(false, true));
        vertx.deployVerticle(outbox).toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        outbox.resume();
        Future<Void> first = outbox.append(0, DiskOutboxHarness.batch(0, "a"));
        Future<Void> second = outbox.append(1, DiskOutboxHarness.batch(0, "b"));
        await().until(() -> ledger.snapshot().retries() == 2);

        AtomicInteger plans = new AtomicInteger();
        Hop<PublishRequest, PublishReply> hop =
                new Hop<>(Duration.ofMinutes(1), PublishReply.class, PublishReply::failed);
        Desk<PublishRequest, PublishReply> publisher = new Desk<>(new Desk.Occupant<>(
                Future::succeededFuture,
                request -> {
                    plans.incrementAndGet();
                    return Future.succeededFuture(new PublishReply(null, Verdicts.allDelivered()));
                },
                Future::succeededFuture));
        vertx.runOnContext(v -> publisher.start(vertx.eventBus(), Addresses.publisher("t", "f"), hop, false));
        Future.all(first, second).toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        assertThat(plans).hasValue(2);
    }
}
