package io.plantline.pipeline.process;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.OnContext;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.spi.Processor;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Answers the requests to one processor. */
public final class ProcessorVerticle extends VerticleBase {
    private static final Hop<ProcessRequest, ProcessReply> HOP =
            new Hop<>(Duration.ofMinutes(10), ProcessReply.class, ProcessReply::failed);

    private final String address;
    private final Supplier<Processor> factory;
    private final boolean probe;
    private @Nullable Desk<ProcessRequest, ProcessReply> desk;

    /** A processor; with {@code probe} it does not start if somebody must act before its plug-in can be opened. */
    public ProcessorVerticle(String processor, String fingerprint, Supplier<Processor> factory, boolean probe) {
        this.address = Addresses.processor(processor, fingerprint);
        this.factory = factory;
        this.probe = probe;
    }

    @Override
    public Future<?> start() {
        Desk<ProcessRequest, ProcessReply> opened = new Desk<>(occupant(factory));
        desk = opened;
        return opened.start(vertx.eventBus(), address, HOP, probe);
    }

    private static Desk.Occupant<ProcessRequest, ProcessReply> occupant(Supplier<Processor> factory) {
        Processor made = factory.get();
        return new Desk.Occupant<>(
                made::open,
                request -> made.process(request.batch()).map(processed -> new ProcessReply(null, processed)),
                made::close);
    }

    /** Completes when everything that was asked is answered. */
    public Future<Void> idle() {
        return onContext(Desk::idle);
    }

    private Future<Void> onContext(Function<Desk<ProcessRequest, ProcessReply>, Future<Void>> work) {
        return OnContext.call(context, () -> desk == null ? Future.failedFuture("not started") : work.apply(desk));
    }

    @Override
    public Future<?> stop() {
        return desk == null ? Future.succeededFuture() : desk.stop();
    }
}
