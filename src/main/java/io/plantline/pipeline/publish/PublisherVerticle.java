package io.plantline.pipeline.publish;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.DeskVerticle;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Target;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
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
        Map<String, Future<PublishReply>> running = new HashMap<>();
        return new Desk.Occupant<>(target::open, request -> publish(target, request, running), target::close);
    }

    /** Delivers a plan; who asks for one again that is under way, because he had lost sight of it, gets its reply. */
    private static Future<PublishReply> publish(
            Target target, PublishRequest request, Map<String, Future<PublishReply>> running) {
        String plan = request.batch().plan().id();
        Future<PublishReply> under = running.get(plan);
        if (under != null) {
            return under;
        }
        Future<PublishReply> reply = target.publish(request.batch()).map(verdicts -> new PublishReply(null, verdicts));
        if (!reply.isComplete()) {
            running.put(plan, reply);
            reply.onComplete(done -> running.remove(plan));
        }
        return reply;
    }
}
