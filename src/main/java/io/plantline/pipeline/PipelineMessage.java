package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.spi.Processed;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All that crosses the event bus. A failure is a value in a reply, never a failed message. */
public sealed interface PipelineMessage {

    /** Deliver this plan. */
    record PublishRequest(PublishBatch batch) implements PipelineMessage {}

    /** What became of it; with a failure, nothing is known of any message. */
    record PublishReply(@Nullable Failure failure, Verdicts verdicts) implements PipelineMessage {
        public static PublishReply failed(Failure failure) {
            return new PublishReply(failure, Verdicts.allDelivered());
        }
    }

    /** Process this batch. */
    record ProcessRequest(MessageBatch batch) implements PipelineMessage {}

    /** What came of it; with a failure, nothing is known of any message. */
    record ProcessReply(@Nullable Failure failure, Processed processed) implements PipelineMessage {
        public static ProcessReply failed(Failure failure) {
            return new ProcessReply(failure, new Processed(new MessageBatch.Builder(0).build(), Set.of(), Map.of()));
        }
    }
}
