package io.plantline.config;

import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.spi.TlsSettings;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Nodes that work together over the event bus, and what this one does.
 *
 * @param name nodes of one name find each other
 * @param members where to look for others
 * @param host by which others reach this node
 * @param port where members find each other
 * @param busPort where batches go
 * @param tls mutual, with all three files
 */
public record ClusterConfig(
        String name,
        List<BrokerAddress> members,
        String host,
        int port,
        int busPort,
        Optional<TlsSettings> tls,
        Set<Role> roles) {

    /** What a node does. */
    public enum Role {
        /** Has the session with the broker, and the outboxes. */
        DISPATCHER,
        PROCESSOR,
        PUBLISHER;

        /** What a node does that is alone. */
        public static final Set<Role> ALL = Set.copyOf(EnumSet.allOf(Role.class));
    }

    /** The files of {@link #tls}, read. */
    public Optional<MutualTls> mutualTls() {
        return tls.map(files -> new MutualTls(
                Objects.requireNonNull(files.ca()),
                Objects.requireNonNull(files.certificate()),
                Objects.requireNonNull(files.key())));
    }

    public ClusterConfig {
        members = List.copyOf(members);
        roles = Set.copyOf(roles);
    }
}
