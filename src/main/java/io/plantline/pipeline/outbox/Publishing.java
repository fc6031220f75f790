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
    /** Longer than any target's own deadline: a reply that is later than this is lost. */
    private static final Duration LOST_AFTER = Duration.ofMinutes(10);

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
