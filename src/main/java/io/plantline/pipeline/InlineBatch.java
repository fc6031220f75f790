package io.plantline.pipeline;

import io.plantline.model.Batches;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.spi.BatchReader;
import io.vertx.core.Future;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;

/** A plan whose messages are in memory. */
public final class InlineBatch extends PlannedBatch {
    private static final MessageBatch END = new MessageBatch.Builder(0).build();

    private final List<MessageBatch> batches;

    public InlineBatch(Plan plan, List<MessageBatch> batches, BitSet delivered) {
        super(plan, Batches.count(batches), Batches.sizeInBytes(batches), delivered);
        this.batches = List.copyOf(batches);
    }

    List<MessageBatch> batches() {
        return batches;
    }

    @Override
    public BatchReader reader() {
        Iterator<MessageBatch> rest = batches.iterator();
        return () -> Future.succeededFuture(rest.hasNext() ? rest.next() : END);
    }
}
