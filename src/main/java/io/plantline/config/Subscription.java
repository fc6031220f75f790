package io.plantline.config;

import io.plantline.model.TopicFilter;
import java.util.Collections;
import java.util.List;

/**
 * A topic filter and where its messages go.
 *
 * @param qos the highest QoS to receive with
 * @param targets names of targets: each gets every message, which is safe when all of them have it
 * @param spread whether every connection asks for it, as a member of a share group
 */
public record Subscription(TopicFilter filter, int qos, List<String> targets, boolean spread) {
    public Subscription(TopicFilter filter, int qos, List<String> targets) {
        this(filter, qos, targets, false);
    }

    public Subscription {
        targets = List.copyOf(targets);
    }

    /** Whether a message could go to one target by both. */
    public boolean meets(Subscription other) {
        return filter.overlaps(other.filter) && !Collections.disjoint(targets, other.targets);
    }
}
