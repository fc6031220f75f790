package io.plantline.pipeline;

import io.plantline.model.Plan;
import io.plantline.spi.PublishBatch;
import java.util.BitSet;

/** A plan, and what of it is delivered; where its messages are is for others to say. Immutable: what was delivered makes a new one. */
public abstract class PlannedBatch implements PublishBatch {
    private final Plan plan;
    private final int count;
    private final long bytes;
    private final BitSet delivered;

    protected PlannedBatch(Plan plan, int count, long bytes, BitSet delivered) {
        this.plan = plan;
        this.count = count;
        this.bytes = bytes;
        this.delivered = (BitSet) delivered.clone();
    }

    @Override
    public final Plan plan() {
        return plan;
    }

    @Override
    public final int count() {
        return count;
    }

    @Override
    public final long sizeInBytes() {
        return bytes;
    }

    @Override
    public final boolean isPending(int ordinal) {
        return !delivered.get(ordinal);
    }
}
