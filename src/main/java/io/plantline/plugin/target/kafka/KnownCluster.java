package io.plantline.plugin.target.kafka;

import io.plantline.model.Failure;
import io.plantline.spi.TargetContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The cluster that a target writes to, and how far it was there. An address can lead to another cluster one day (a new one after a
 * disaster, a test), and a topic can be made anew: Kafka's own clients go on with either and say nothing. Used from any thread.
 */
final class KnownCluster {
    private static final String MEMORY = "kafka-cluster";
    private static final int MAX_TOPICS = 10_000;

    private final List<String> allowed;
    private final TargetContext context;
    /** The last offset that was acknowledged, by topic and partition. */
    private final Map<String, Map<Integer, Long>> offsets = new HashMap<>();

    /**
     * What is known.
     *
     * @param allowed identifiers of clusters to write to; none: whichever it meets first
     */
    KnownCluster(List<String> allowed, TargetContext context) {
        this.allowed = allowed;
        this.context = context;
    }

    /** Why nothing may be written to a cluster; null: it may. Blocks for a moment. */
    @Nullable
    Failure refuse(String cluster) {
        Optional<String> known = context.memory().recall(MEMORY);
        boolean isKnown = known.filter(cluster::equals).isPresent();
        if (allowed.isEmpty() ? known.isPresent() && !isKnown : !allowed.contains(cluster)) {
            return Failure.operator(
                    "other-cluster",
                    "bootstrap-servers lead to cluster " + cluster
                            + (allowed.isEmpty()
                                    ? ", and this target wrote to " + known.orElseThrow()
                                            + "; name in cluster-ids where it may write"
                                    : ", which cluster-ids does not name"));
        }
        if (!isKnown) {
            context.memory().remember(MEMORY, cluster);
            known.ifPresent(before -> moved(before, cluster));
        }
        return null;
    }

    private void moved(String before, String now) {
        synchronized (offsets) {
            offsets.clear();
        }
        context.warn("KAFKA-CLUSTER", "writes to cluster " + now + " from now on, and wrote to " + before);
    }

    /**
     * A record has its place. Offsets only grow, unless a topic is deleted and made anew, or has lost what its new leader had
     * not (unclean.leader.election.enable).
     */
    void acknowledged(RecordMetadata place) {
        if (!place.hasOffset()) {
            return;
        }
        Long before;
        synchronized (offsets) {
            if (offsets.size() > MAX_TOPICS) {
                offsets.clear();
            }
            before = offsets.computeIfAbsent(place.topic(), topic -> new HashMap<>())
                    .put(place.partition(), place.offset());
        }
        if (before != null && place.offset() <= before) {
            context.warn(
                    "KAFKA-OFFSETS",
                    "offsets of " + place.topic() + "-" + place.partition() + " went back from " + before + " to "
                            + place.offset()
                            + ": the topic was made anew, or has lost records that it had acknowledged");
        }
    }
}
