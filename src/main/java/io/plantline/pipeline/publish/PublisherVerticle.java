package io.plantline.pipeline.publish;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.DeskVerticle;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Target;
import java.time.Duration;
import java.util.function.Supplier;

/** Delivers the plans of one target definition, whoever asks. */
public final class PublisherVerticle extends DeskVerticle<Target, PublishRequest, PublishReply> {
    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(Duration.ofMinutes(10), PublishReply.class, PublishReply::failed);

    /** A publisher; with {@code probe} it does not start if somebody must act before its target can be opened. */
    public PublisherVerticle(String target, String fingerprint, Supplier<Target> factory, boolean probe) {
        super(Addresses.publisher(target, fingerprint), HOP, PublisherVerticle::occupant, factory, probe);
    }

    private static Desk.Occupant<PublishRequest, PublishReply> occupant(Target target) {
        return new Desk.Occupant<>(
                target::open,
                request -> target.publish(request.batch()).map(verdicts -> new PublishReply(null, verdicts)),
                target::close);
    }
}
