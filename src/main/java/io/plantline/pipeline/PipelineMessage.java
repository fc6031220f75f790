package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.spi.Processed;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All that crosses the event bus. A failure is a value in a reply, never a failed message. */
public sealed interface PipelineMessage {

    /**
     * Deliver this plan.
     *
     * @param lender where it may be read piece by piece, if it is on another node
     */
    record PublishRequest(PublishBatch batch, @Nullable String lender) implements PipelineMessage {
        public PublishRequest(PublishBatch batch) {
            this(batch, null);
        }
    }

    /** What became of it; with a failure, nothing is known of any message. */
    record PublishReply(@Nullable Failure failure, Verdicts verdicts) implements PipelineMessage {
        public static PublishReply failed(Failure failure) {
            return new PublishReply(failure, Verdicts.allDelivered());
        }
    }

    /**
     * Give me a piece of a plan.
     *
     * @param plan its id
     * @param reader random: reads from the first piece on, in order
     * @param piece from 0; the last one may be asked for again
     */
    record PullRequest(String plan, long reader, int piece) implements PipelineMessage {}

    /** The piece, which is a few batches; with a failure, none. */
    record PullReply(@Nullable Failure failure, List<MessageBatch> batches) implements PipelineMessage {
        public PullReply {
            batches = List.copyOf(batches);
        }

        public static PullReply failed(Failure failure) {
            return new PullReply(failure, List.of());
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
