package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands messages that can never be delivered to the dead-letter target, with their bytes and the reason. */
final class DeadLetters {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

    private final String target;
    private final @Nullable Outbox outbox;

    DeadLetters(String target, @Nullable Outbox outbox) {
        this.target = target;
        this.outbox = outbox;
    }

    /** Whether there is a place for them; without one, a message that is refused holds the queue. */
    boolean exist() {
        return outbox != null;
    }

    /**
     * Sends the messages of {@code originals} that failed on their way.
     *
     * @param failed failures by sequence
     * @return completes when they are safe there
     */
    Future<Void> send(String stage, List<MessageBatch> originals, Map<Long, Failure> failed) {
        Outbox to = outbox;
        if (to == null) {
            return Future.failedFuture("no dead-letter-target");
        }
        Map<Integer, MessageBatch.Builder> byLane = new HashMap<>();
        for (MessageBatch batch : originals) {
            MessageCursor message = batch.cursor();
            while (message.next()) {
                Failure failure = failed.get(message.sequence());
                if (failure != null) {
                    LOG.warn(
                            "DEAD-LETTER: a message on {} for {} was refused by {}: {}",
                            message.topic(),
                            target,
                            stage,
                            failure);
                    byLane.computeIfAbsent(
                                    Outbox.laneOf(message.topic(), to.lanes()), l -> new MessageBatch.Builder(1024))
                            .addChanged(message, reasons(message.properties(), stage, failure), message.payload());
                }
            }
        }
        List<Future<Void>> sent = new ArrayList<>();
        byLane.forEach((lane, builder) -> sent.add(to.append(lane, Batches.withoutGaps(builder.build()))));
        return Future.all(sent).mapEmpty();
    }

    private MessageProperties reasons(MessageProperties properties, String stage, Failure failure) {
        return properties
                .with("plantline-dead-letter-target", target)
                .with("plantline-dead-letter-stage", stage)
                .with("plantline-dead-letter-code", failure.code())
                .with("plantline-dead-letter-reason", failure.detail());
    }
}
