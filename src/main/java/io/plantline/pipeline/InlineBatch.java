package io.plantline.pipeline;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.spi.BatchReader;
import io.plantline.spi.PublishBatch;
import io.vertx.core.Future;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;

/** A plan whose messages are in memory. Immutable: what was delivered makes a new one. */
public final class InlineBatch implements PublishBatch {
    private static final MessageBatch END = new MessageBatch.Builder(0).build();

    private final Plan plan;
    private final List<MessageBatch> batches;
    private final BitSet delivered;
    private final int count;

    public InlineBatch(Plan plan, List<MessageBatch> batches, BitSet delivered) {
        this.plan = plan;
        this.batches = List.copyOf(batches);
        this.delivered = (BitSet) delivered.clone();
        this.count = batches.stream().mapToInt(MessageBatch::count).sum();
    }

    List<MessageBatch> batches() {
        return batches;
    }

    @Override
    public Plan plan() {
        return plan;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public long sizeInBytes() {
        return batches.stream().mapToLong(MessageBatch::sizeInBytes).sum();
    }

    @Override
    public boolean isPending(int ordinal) {
        return !delivered.get(ordinal);
    }

    @Override
    public BatchReader reader() {
        Iterator<MessageBatch> rest = batches.iterator();
        return () -> Future.succeededFuture(rest.hasNext() ? rest.next() : END);
    }
}
