package io.plantline.pipeline.publish;

import io.plantline.model.Failure;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Target;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Delivers the plans of one target definition, whoever asks. */
public final class PublisherVerticle extends VerticleBase {
    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(Duration.ofMinutes(10), PublishReply.class, PublishReply::failed);

    private final String address;
    private final Supplier<Target> factory;
    private @Nullable Target target;
    private @Nullable Future<Void> opened;

    public PublisherVerticle(String target, String fingerprint, Supplier<Target> factory) {
        this.address = Addresses.publisher(target, fingerprint);
        this.factory = factory;
    }

    @Override
    public Future<?> start() {
        Target made = factory.get();
        target = made;
        return vertx.eventBus()
                .<PublishRequest>consumer(address)
                .handler(HOP.serve(request -> answer(made, request)))
                .completion();
    }

    private Future<PublishReply> answer(Target made, PublishRequest request) {
        return open(made)
                .compose(v -> made.publish(request.batch()))
                .map(verdicts -> new PublishReply(null, verdicts))
                .otherwise(e -> PublishReply.failed(Failure.of(e)));
    }

    /** Opened at the first plan, and again after a failure, so that a start never waits for somebody else. */
    private Future<Void> open(Target made) {
        if (opened == null || opened.failed()) {
            opened = made.open();
        }
        return opened;
    }

    @Override
    public Future<?> stop() {
        return target == null ? Future.succeededFuture() : target.close();
    }
}
