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

/** Asks a publisher, wherever it runs, to deliver a plan. */
final class Publishing {
    /** On one node the bus loses nothing, and a deadline would only start work again that is still being done. */
    private static final Duration LOST_AFTER = Duration.ofDays(7);

    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(LOST_AFTER, PublishReply.class, PublishReply::failed);

    private final EventBus bus;
    private final String address;

    Publishing(EventBus bus, TargetDefinition target) {
        this.bus = bus;
        this.address = Addresses.publisher(target.name(), target.fingerprint());
    }

    Future<PublishReply> publish(PublishBatch batch) {
        return HOP.request(bus, address, new PublishRequest(batch));
    }
}
