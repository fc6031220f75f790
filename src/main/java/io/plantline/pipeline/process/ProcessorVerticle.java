package io.plantline.pipeline.process;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.spi.Processor;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Answers the requests to one processor. */
public final class ProcessorVerticle extends VerticleBase {
    private static final Hop<ProcessRequest, ProcessReply> HOP =
            new Hop<>(Duration.ofMinutes(10), ProcessReply.class, ProcessReply::failed);

    /** After which it goes, whatever is with it: it was given up before, or will be asked for again. */
    private static final int LEAVE_SECONDS = 5;

    private final String address;
    private final Supplier<Processor> factory;
    private final boolean probe;
    private @Nullable Processor processor;
    private @Nullable Desk<ProcessRequest, ProcessReply> desk;

    /** A processor; with {@code probe} it does not start if its plug-in cannot be opened. */
    public ProcessorVerticle(String processor, String fingerprint, Supplier<Processor> factory, boolean probe) {
        this.address = Addresses.processor(processor, fingerprint);
        this.factory = factory;
        this.probe = probe;
    }

    @Override
    public Future<?> start() {
        Processor made = factory.get();
        processor = made;
        Desk<ProcessRequest, ProcessReply> opened = new Desk<>(
                made::open,
                request -> made.process(request.batch()).map(processed -> new ProcessReply(null, processed)));
        desk = opened;
        return opened.start(vertx.eventBus(), address, HOP, probe).onFailure(e -> made.close());
    }

    @Override
    public Future<?> stop() {
        Processor made = processor;
        Desk<ProcessRequest, ProcessReply> open = desk;
        return made == null || open == null
                ? Future.succeededFuture()
                : open.stop().timeout(LEAVE_SECONDS, TimeUnit.SECONDS).eventually(made::close);
    }
}
