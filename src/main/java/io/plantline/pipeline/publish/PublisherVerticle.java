package io.plantline.pipeline.publish;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.OnContext;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Target;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Delivers the plans of one target definition, whoever asks. */
public final class PublisherVerticle extends VerticleBase {
    private static final Hop<PublishRequest, PublishReply> HOP =
            new Hop<>(Duration.ofMinutes(10), PublishReply.class, PublishReply::failed);

    private final String address;
    private final Supplier<Target> factory;
    private final boolean probe;
    private @Nullable Desk<PublishRequest, PublishReply> desk;

    /** A publisher; with {@code probe} it does not start if somebody must act before its plug-in can be opened. */
    public PublisherVerticle(String target, String fingerprint, Supplier<Target> factory, boolean probe) {
        this.address = Addresses.publisher(target, fingerprint);
        this.factory = factory;
        this.probe = probe;
    }

    @Override
    public Future<?> start() {
        Desk<PublishRequest, PublishReply> opened = new Desk<>(occupant(factory));
        desk = opened;
        return opened.start(vertx.eventBus(), address, HOP, probe);
    }

    private static Desk.Occupant<PublishRequest, PublishReply> occupant(Supplier<Target> factory) {
        Target made = factory.get();
        return new Desk.Occupant<>(
                made::open,
                request -> made.publish(request.batch()).map(verdicts -> new PublishReply(null, verdicts)),
                made::close);
    }

    /**
     * Delivers by another target from now on; what is with the one before is finished by it.
     *
     * @return fails if somebody must act before it can be opened, and then nothing has changed
     */
    public Future<Void> replace(Supplier<Target> other) {
        return onContext(open -> open.replace(occupant(other)));
    }

    private Future<Void> onContext(Function<Desk<PublishRequest, PublishReply>, Future<Void>> work) {
        return OnContext.call(context, () -> desk == null ? Future.failedFuture("not started") : work.apply(desk));
    }

    @Override
    public Future<?> stop() {
        return desk == null ? Future.succeededFuture() : desk.stop();
    }
}
