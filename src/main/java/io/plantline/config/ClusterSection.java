package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.plantline.model.Problem;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The section of the cluster, and what the environment says of this node. */
final class ClusterSection {
    private ClusterSection() {}

    /** Who works together; nothing if this node is alone. */
    static Optional<ClusterConfig> read(
            JsonNode root,
            List<Problem> structure,
            EnvironmentVariables environment,
            Plugins plugins,
            List<Problem> problems) {
        if (structure.stream().anyMatch(problem -> problem.pointer().startsWith("/cluster"))) {
            return Optional.empty();
        }
        Set<ClusterConfig.Role> roles = environment.roles();
        if (!root.has("cluster") && !roles.equals(ClusterConfig.Role.ALL)) {
            problems.add(Problem.error(
                    "",
                    EnvironmentVariables.ROLES
                            + " says that other nodes do a part of the work, and there is no cluster",
                    "add a cluster section, or take " + EnvironmentVariables.ROLES + " out"));
        }
        JsonSettings top = new JsonSettings(root, "", plugins, problems);
        return top.section("cluster").map(section -> {
            int port = section.integer("port", 7800);
            return new ClusterConfig(
                    section.string("name", "plantline"),
                    section.strings("members").stream()
                            .map(member -> environment.address("/cluster/members", member, port))
                            .toList(),
                    environment.clusterHost(),
                    port,
                    section.integer("bus-port", 7801),
                    section.tls("tls"),
                    roles);
        });
    }
}
