package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.pipeline.Outbox;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps messages that can never be delivered, with their bytes and the reason: in the dead-letter target, if one is named, or
 * else in a log of their own, if there is a data directory.
 */
final class DeadLetters {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

    private final String target;
    private final Supplier<String> configuration;
    private final Supplier<@Nullable Outbox> outbox;
    private final @Nullable DeadLetterLog log;

    DeadLetters(
            String target,
            Supplier<String> configuration,
            Supplier<@Nullable Outbox> outbox,
            @Nullable DeadLetterLog log) {
        this.target = target;
        this.configuration = configuration;
        this.outbox = outbox;
        this.log = log;
    }

    /**
     * Where dead letters come from.
     *
     * @param batches messages as they were before they were refused
     * @param messageId by sequence
     * @param fromEarlier whether they were there before this start, and so may have been refused before it
     */
    record Sources(List<MessageBatch> batches, LongFunction<String> messageId, boolean fromEarlier) {}

    /** Whether there is a place for them; without one, a message that is refused holds the queue. */
    boolean exist() {
        return outbox.get() != null || log != null;
    }

    /**
     * Keeps the messages of {@code sources} that failed on their way.
     *
     * @param failed failures by sequence
     * @return completes when they are safe
     */
    Future<Void> send(String stage, Sources sources, Map<Long, Failure> failed) {
        DeadLetterLog own = log;
        Outbox to = outbox.get();
        if (to != null) {
            return forward(to, stage, sources, failed);
        } else if (own == null) {
            return Future.failedFuture("there is no place for dead letters");
        } else if (!sources.fromEarlier()) {
            return own.append(marked(stage, sources, failed, Set.of()));
        }
        return own.known().compose(known -> own.append(marked(stage, sources, failed, known)));
    }

    private Future<Void> forward(Outbox to, String stage, Sources sources, Map<Long, Failure> failed) {
        Map<Integer, List<MessageBatch>> byLane = new HashMap<>();
        for (MessageBatch letter : marked(stage, sources, failed, Set.of())) {
            MessageCursor message = letter.cursor();
            message.next();
            byLane.computeIfAbsent(Outbox.laneOf(message.topic(), to.lanes()), lane -> new ArrayList<>())
                    .add(letter);
        }
        List<Future<Void>> sent = new ArrayList<>();
        byLane.forEach((lane, letters) -> sent.add(to.append(lane, Batches.withoutGaps(Batches.merge(letters)))));
        return Future.all(sent).mapEmpty();
    }

    /** A batch per message. */
    private List<MessageBatch> marked(String stage, Sources sources, Map<Long, Failure> failed, Set<String> known) {
        long now = System.currentTimeMillis() * 1_000;
        List<MessageBatch> letters = new ArrayList<>();
        for (MessageBatch batch : sources.batches()) {
            MessageCursor message = batch.cursor();
            while (message.next()) {
                Failure failure = failed.get(message.sequence());
                String id = failure == null ? "" : sources.messageId().apply(message.sequence());
                if (failure != null && !known.contains(Refusal.key(stage, id))) {
                    LOG.warn(
                            "DEAD-LETTER: a message on {} for {} was refused by {}: {}",
                            message.topic(),
                            target,
                            stage,
                            failure);
                    MessageBatch.Builder builder = new MessageBatch.Builder(message.payloadLength() + 1024);
                    builder.addChanged(
                            message,
                            Refusal.mark(message.properties(), target, stage, id, configuration.get(), now, failure),
                            message.payload());
                    letters.add(Batches.withoutGaps(builder.build()));
                }
            }
        }
        return letters;
    }
}
