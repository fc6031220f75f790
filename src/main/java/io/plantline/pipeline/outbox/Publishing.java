package io.plantline.pipeline.outbox;

import io.plantline.config.TargetDefinition;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.PublishBatch;
import io.vertx.core.Future;
import io.vertx.core.eventbus.EventBus;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Asks a publisher, wherever it runs, to deliver a plan. */
final class Publishing {
    /** On one node the bus loses nothing, and a deadline would only start work again that is still being done. */
    private static final Duration LOST_AFTER = Duration.ofDays(7);

    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(LOST_AFTER, PublishReply.class, PublishReply::failed);

    private final EventBus bus;
    private final String address;
    private final @Nullable Elsewhere elsewhere;

    /** Asks publishers of this node; or, with {@code elsewhere}, of any node. */
    Publishing(EventBus bus, TargetDefinition target, @Nullable Elsewhere elsewhere) {
        this.bus = bus;
        this.address = Addresses.publisher(target.name(), target.fingerprint());
        this.elsewhere = elsewhere;
    }

    Future<PublishReply> publish(PublishBatch batch) {
        Elsewhere others = elsewhere;
        if (others == null) {
            return HOP.request(bus, address, new PublishRequest(batch));
        }
        others.lender().lend(batch);
        return HOP.request(
                        others.patience(),
                        address,
                        new PublishRequest(batch, others.lender().address()))
                .andThen(done -> others.lender().takeBack(batch));
    }
}
