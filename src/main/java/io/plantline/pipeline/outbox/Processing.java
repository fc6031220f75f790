package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.model.MessageBatch;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.vertx.core.Future;
import io.vertx.core.eventbus.EventBus;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The processors of a target, in order, and how often each of them has succeeded. */
final class Processing {
    /** On one node the bus loses nothing, and a deadline would only start work again that is still being done. */
    private static final Duration LOST_AFTER = Duration.ofDays(7);

    private static final Hop<ProcessRequest, ProcessReply> HOP =
            new Hop<>(LOST_AFTER, ProcessReply.class, ProcessReply::failed);

    private final EventBus bus;
    private final @Nullable Elsewhere elsewhere;
    private List<ProcessorDefinition> processors;
    private final long[] successes;

    /** Asks processors of this node; or, with {@code elsewhere}, of any node. */
    Processing(EventBus bus, List<ProcessorDefinition> processors, @Nullable Elsewhere elsewhere) {
        this.bus = bus;
        this.elsewhere = elsewhere;
        this.processors = processors;
        this.successes = new long[processors.size()];
    }

    /** The same processors, defined otherwise. */
    void redefine(List<ProcessorDefinition> next) {
        processors = next;
    }

    List<ProcessorDefinition> processors() {
        return processors;
    }

    Future<ProcessReply> process(int processor, MessageBatch batch) {
        ProcessorDefinition definition = processors.get(processor);
        String address = Addresses.processor(definition.name(), definition.fingerprint());
        ProcessRequest request = new ProcessRequest(batch);
        Elsewhere others = elsewhere;
        Future<ProcessReply> answer =
                others == null ? HOP.request(bus, address, request) : HOP.request(others.patience(), address, request);
        return answer.map(reply -> {
            if (reply.failure() == null) {
                successes[processor] += reply.processed().output().count()
                        + reply.processed().filtered().size();
            }
            return reply;
        });
    }

    /** Messages that a processor has passed or filtered so far. */
    long successes(int processor) {
        return successes[processor];
    }
}
