package io.plantline.config;

import java.util.List;
import java.util.SortedMap;

/**
 * One document, parsed and valid.
 *
 * @param hash of the text and the environment that completed it, to tell two configurations apart in a log
 */
public record Configuration(
        BrokerConfig broker,
        SortedMap<String, TargetDefinition> targets,
        SortedMap<String, ProcessorDefinition> processors,
        List<Subscription> subscriptions,
        String hash) {
    public Configuration {
        subscriptions = List.copyOf(subscriptions);
    }
}
