package io.plantline.pipeline.publish;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Target;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Delivers the plans of one target definition, whoever asks. */
public final class PublisherVerticle extends VerticleBase {
    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(Duration.ofMinutes(10), PublishReply.class, PublishReply::failed);

    /** After which it goes, whatever is with it: it was given up before, or will be asked for again. */
    private static final int LEAVE_SECONDS = 5;

    private final String address;
    private final Supplier<Target> factory;
    private final boolean probe;
    private @Nullable Target target;
    private @Nullable Desk<PublishRequest, PublishReply> desk;

    /** A publisher; with {@code probe} it does not start if its plug-in cannot be opened. */
    public PublisherVerticle(String target, String fingerprint, Supplier<Target> factory, boolean probe) {
        this.address = Addresses.publisher(target, fingerprint);
        this.factory = factory;
        this.probe = probe;
    }

    @Override
    public Future<?> start() {
        Target made = factory.get();
        target = made;
        Desk<PublishRequest, PublishReply> opened = new Desk<>(
                made::open, request -> made.publish(request.batch()).map(verdicts -> new PublishReply(null, verdicts)));
        desk = opened;
        return opened.start(vertx.eventBus(), address, HOP, probe).onFailure(e -> made.close());
    }

    @Override
    public Future<?> stop() {
        Target made = target;
        Desk<PublishRequest, PublishReply> open = desk;
        return made == null || open == null
                ? Future.succeededFuture()
                : open.stop().timeout(LEAVE_SECONDS, TimeUnit.SECONDS).eventually(made::close);
    }
}
