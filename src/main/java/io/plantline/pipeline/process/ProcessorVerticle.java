package io.plantline.pipeline.process;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Desk;
import io.plantline.pipeline.DeskVerticle;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.spi.Processor;
import java.time.Duration;
import java.util.function.Supplier;

/** Answers the requests to one processor. */
public final class ProcessorVerticle extends DeskVerticle<Processor, ProcessRequest, ProcessReply> {
    private static final Hop<ProcessRequest, ProcessReply> HOP =
            new Hop<>(Duration.ofMinutes(10), ProcessReply.class, ProcessReply::failed);

    /** A processor; with {@code probe} it does not start if somebody must act before its plug-in can be opened. */
    public ProcessorVerticle(String processor, String fingerprint, Supplier<Processor> factory, boolean probe) {
        super(Addresses.processor(processor, fingerprint), HOP, ProcessorVerticle::occupant, factory, probe);
    }

    private static Desk.Occupant<ProcessRequest, ProcessReply> occupant(Processor processor) {
        return new Desk.Occupant<>(
                processor::open,
                request -> processor.process(request.batch()).map(processed -> new ProcessReply(null, processed)),
                processor::close);
    }
}
