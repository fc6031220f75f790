package io.plantline.plugin.target.kafka;

import io.plantline.model.Failure;
import java.util.function.Consumer;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Lets the values of records pass to the clusters that the target may write to. Kafka's producer shows a serializer the cluster with
 * each of its metadata, before it goes by them: no record is serialized before the first are there.
 */
final class ClusterGate extends ByteArraySerializer implements ClusterResourceListener {
    private final KnownCluster known;
    private volatile @Nullable Failure refusal;
    private @Nullable Consumer<Failure> owner;

    ClusterGate(KnownCluster known) {
        this.known = known;
    }

    /** Who is told, on the producer's own thread, of a cluster that nothing may be written to. */
    void tell(Consumer<Failure> who) {
        Failure already;
        synchronized (this) {
            owner = who;
            already = refusal;
        }
        // Not under the lock, for which the producer's thread may be waiting.
        if (already != null) {
            who.accept(already);
        }
    }

    @Override
    public synchronized void onUpdate(ClusterResource cluster) {
        String id = cluster.clusterId();
        if (id != null && refusal == null) {
            Failure refused = known.refuse(id);
            refusal = refused;
            if (refused != null && owner != null) {
                owner.accept(refused);
            }
        }
    }

    @Override
    public byte @Nullable [] serialize(String topic, byte @Nullable [] data) {
        Failure refused = refusal;
        if (refused != null) {
            throw refused.asException();
        }
        return data;
    }
}
