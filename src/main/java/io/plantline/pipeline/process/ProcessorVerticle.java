package io.plantline.pipeline.process;

import io.plantline.model.Failure;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.spi.Processor;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Answers the requests to one processor. */
public final class ProcessorVerticle extends VerticleBase {
    private static final Hop<ProcessRequest, ProcessReply> HOP =
            new Hop<>(Duration.ofMinutes(10), ProcessReply.class, ProcessReply::failed);

    private final String address;
    private final Supplier<Processor> factory;
    private @Nullable Processor processor;
    private @Nullable Future<Void> opened;

    public ProcessorVerticle(String processor, String fingerprint, Supplier<Processor> factory) {
        this.address = Addresses.processor(processor, fingerprint);
        this.factory = factory;
    }

    @Override
    public Future<?> start() {
        Processor made = factory.get();
        processor = made;
        return vertx.eventBus()
                .<ProcessRequest>consumer(address)
                .handler(HOP.serve(request -> answer(made, request)))
                .completion();
    }

    private Future<ProcessReply> answer(Processor made, ProcessRequest request) {
        return open(made)
                .compose(v -> made.process(request.batch()))
                .map(processed -> new ProcessReply(null, processed))
                .otherwise(e -> ProcessReply.failed(Failure.of(e)));
    }

    /** Opened at the first request, and again after a failure, so that a start never waits for somebody else. */
    private Future<Void> open(Processor made) {
        if (opened == null || opened.failed()) {
            opened = made.open();
        }
        return opened;
    }

    @Override
    public Future<?> stop() {
        return processor == null ? Future.succeededFuture() : processor.close();
    }
}
