package io.plantline.config;

import io.plantline.model.TopicFilter;

/**
 * A topic filter and where its messages go.
 *
 * @param qos the highest QoS to receive with
 * @param target name of a target
 */
public record Subscription(TopicFilter filter, int qos, String target) {}
