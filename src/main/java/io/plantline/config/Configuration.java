package io.plantline.config;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * One document, parsed and valid.
 *
 * @param data nothing: memory mode
 * @param cluster nothing: this node is alone
 * @param hash of the text and the environment that completed it, to tell two configurations apart in a log
 */
public record Configuration(
        BrokerConfig broker,
        SortedMap<String, TargetDefinition> targets,
        SortedMap<String, ProcessorDefinition> processors,
        List<Subscription> subscriptions,
        Optional<Data> data,
        Optional<ClusterConfig> cluster,
        String hash) {

    /**
     * What outlives the process.
     *
     * @param directory of this process alone
     * @param minFreeBytes left on its disk
     */
    public record Data(String directory, long minFreeBytes) {}

    /** What this node does. */
    public Set<ClusterConfig.Role> roles() {
        return cluster.map(ClusterConfig::roles).orElse(ClusterConfig.Role.ALL);
    }

    public Configuration {
        subscriptions = List.copyOf(subscriptions);
    }
}
