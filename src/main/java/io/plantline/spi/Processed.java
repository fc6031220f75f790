package io.plantline.spi;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import java.util.Map;
import java.util.Set;

/**
 * What a processor made of a batch. A message is in the output, filtered or failed.
 *
 * @param output the messages that go on
 * @param filtered sequences of messages that end here on purpose
 * @param failed failures by sequence
 */
public record Processed(MessageBatch output, Set<Long> filtered, Map<Long, Failure> failed) {
    public Processed {
        filtered = Set.copyOf(filtered);
        failed = Map.copyOf(failed);
    }
}
