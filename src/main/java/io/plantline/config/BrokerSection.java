package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.model.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The section of the broker, and what it means for subscriptions. */
final class BrokerSection {
    /** Enough for 20,000 messages a second over 50 ms; what is in flight when a connection breaks is sent again. */
    private static final int DURABLE_WINDOW = 1_000;

    private final JsonNode root;
    private final List<Problem> structure;
    private final EnvironmentVariables environment;
    private final Plugins plugins;
    private final List<Problem> problems;

    /** The section in a document, which may not be there or not fit the schema. */
    BrokerSection(
            JsonNode root,
            List<Problem> structure,
            EnvironmentVariables environment,
            Plugins plugins,
            List<Problem> problems) {
        this.root = root;
        this.structure = structure;
        this.environment = environment;
        this.plugins = plugins;
        this.problems = problems;
    }

    BrokerConfig read() {
        boolean fits = structure.stream().noneMatch(problem -> problem.pointer().startsWith("/mqtt-broker"));
        JsonNode node = fits
                ? root.path("mqtt-broker")
                : JsonDocument.parse("{}", new ArrayList<>()).root();
        JsonSettings section = new JsonSettings(node, "/mqtt-broker", plugins, problems);
        JsonSettings top = new JsonSettings(fits ? root : node, "", plugins, problems);
        sharing(section);
        boolean tls = section.tls("tls").isPresent();
        List<BrokerAddress> addresses = new ArrayList<>(environment.brokerAddresses(tls ? 8883 : 1883));
        if (addresses.isEmpty()) {
            section.strings("addresses")
                    .forEach(address ->
                            addresses.add(environment.address("/mqtt-broker/addresses", address, tls ? 8883 : 1883)));
        }
        if (addresses.isEmpty() && fits) {
            section.error(
                    "addresses",
                    "there is no broker to subscribe at",
                    "write \"addresses\": [\"host:1883\"], or set " + EnvironmentVariables.HOST);
        }
        Duration keepAlive = section.duration("keep-alive", Duration.ofSeconds(15));
        if (keepAlive.toSeconds() > 65_535) {
            section.error("keep-alive", "MQTT has room for 65,535 seconds", "15s is usual");
        }
        int version = switch (section.string("protocol-version", "")) {
            case "5" -> 5;
            case "3.1.1" -> 4;
            default -> 0;
        };
        return new BrokerConfig(
                addresses,
                section.integer("connections", 1),
                version,
                section.optionalString("client-id").orElseGet(() -> fits ? environment.defaultClientId() : "invalid"),
                top.credential("mqtt-broker-credential"),
                keepAlive,
                section.duration("connect-timeout", Duration.ofSeconds(10)),
                section.duration("session-expiry", Duration.ofDays(7)),
                section.duration("reconnect-min", Duration.ofMillis(100)),
                section.duration("reconnect-max", Duration.ofSeconds(30)),
                section.integer("receive-maximum", isDurable() ? DURABLE_WINDOW : 65_535),
                (int) Math.min(268_435_455, section.size("max-packet-size", 16 << 20)),
                section.size("max-unacknowledged", heapShare(section.integer("connections", 1))),
                section.flag("unique-payloads", false),
                section.tls("tls"),
                section.proxy("proxy"),
                section.section("will")
                        .map(will -> new BrokerConfig.Will(
                                will.string("topic"),
                                will.string("payload", ""),
                                will.integer("qos", 1),
                                will.flag("retain", false))),
                new Material(section.material().files(), top.material().credentials()));
    }

    /**
     * What each connection may hold, if nothing is said: together never more than the heap can bear beside its work. What goes to
     * several targets is there for each.
     */
    private long heapShare(int connections) {
        int copies = 2;
        for (JsonNode subscription : root.path("subscriptions")) {
            copies = Math.max(copies, subscription.path("targets").size());
        }
        return Math.min(64 << 20, Runtime.getRuntime().maxMemory() / 2 / copies / Math.max(1, connections));
    }

    /** Whether messages are acknowledged as soon as they are on disk. */
    boolean isDurable() {
        return root.has("data-directory") || environment.dataDirectory().isPresent();
    }

    /** The filter, for a share group if the document wants that for all; one that names a group keeps it. */
    String shared(String filter) {
        JsonNode broker = root.path("mqtt-broker");
        String group = broker.path("share-group").asText();
        boolean shared = broker.path("subscription-mode").asText().equals("shared");
        return shared && !group.isEmpty() && !filter.startsWith("$share/") ? "$share/" + group + "/" + filter : filter;
    }

    /** The filter, for a share group of this process's own connections if there is no other. */
    String spread(String filter) {
        String shared = shared(filter);
        JsonNode named = root.path("mqtt-broker").path("client-id");
        String group = (named.isTextual() ? named.asText() : environment.clientId()).replaceAll("[/+#]", "-");
        return shared.startsWith("$share/") ? shared : "$share/" + group + "/" + filter;
    }

    void warnOfSpreading(JsonSettings subscription) {
        if (root.path("mqtt-broker").path("connections").asInt(1) < 2) {
            subscription.warn(
                    "spread", "there is one connection", "set \"connections\" of mqtt-broker, or take spread out");
        } else {
            subscription.warn(
                    "spread",
                    "messages of one topic go to any of the connections, so their order is given up",
                    "leave it out where order matters; other filters have a connection each as they are");
        }
    }

    private void sharing(JsonSettings broker) {
        boolean shared = broker.string("subscription-mode", "exclusive").equals("shared");
        if (shared && !broker.has("share-group")) {
            broker.error(
                    "subscription-mode",
                    "shared subscriptions need a share-group",
                    "name who shares: all replicas, and nobody else at this broker");
        } else if (!shared && broker.has("share-group")) {
            broker.error(
                    "share-group",
                    "subscriptions are exclusive",
                    "write \"subscription-mode\": \"shared\", or take share-group out");
        } else if (shared) {
            broker.warn(
                    "subscription-mode",
                    "messages of one topic go to any of the replicas, so their order is given up",
                    "where order matters give each pod its part of the topic space (k8s/overlays/multi-pod)");
        }
    }
}
