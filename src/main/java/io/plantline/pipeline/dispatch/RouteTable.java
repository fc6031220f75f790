package io.plantline.pipeline.dispatch;

import io.plantline.model.TopicFilter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Topic to targets: a trie of filters, and a bounded cache in front of it, since a plant has few topics and many
 * messages.
 */
final class RouteTable {
    private static final int MAX_CACHED = 100_000;

    private final Node root = new Node();
    private final Map<String, Route> cache = new HashMap<>();

    /**
     * One subscription as the router sees it.
     *
     * @param qos asked of the broker
     * @param identifier MQTT 5 subscription identifier, or 0
     * @param target index of the target
     * @param last whether any other filter speaks for the target before this one
     */
    record Rule(TopicFilter filter, int qos, int identifier, int target, boolean last) {
        Rule(TopicFilter filter, int qos, int identifier, int target) {
            this(filter, qos, identifier, target, false);
        }

        Rule to(int other) {
            return new Rule(filter, qos, identifier, other, last);
        }

        Rule speakingLast() {
            return new Rule(filter, qos, identifier, target, true);
        }

        /** Who speaks for a target: a filter whose copies all come here, then the one with the best QoS. */
        private static final Comparator<Rule> SPEAKS = Comparator.comparing(Rule::last)
                .thenComparing((Rule rule) -> rule.filter().share() != null)
                .thenComparing(rule -> -rule.qos())
                .thenComparing(rule -> rule.filter().text());
    }

    /**
     * Where a topic goes, each target once.
     *
     * @param topic the one string for this topic
     * @param targets indices of targets
     * @param identifiers for each target the subscription that speaks for it: a copy sent for another one only is not
     *     for this target
     */
    record Route(String topic, int[] targets, int[] identifiers) {}

    RouteTable(List<Rule> rules) {
        for (Rule rule : rules) {
            Node node = root;
            for (String level : TopicFilter.levels(rule.filter().pattern())) {
                node = node.child(level);
            }
            node.rules.add(rule);
        }
    }

    /** Where {@code topic} goes; a route without targets if nowhere. */
    Route resolve(String topic) {
        Route known = cache.get(topic);
        if (known != null) {
            return known;
        }
        if (cache.size() >= MAX_CACHED) {
            cache.clear();
        }
        Route route = find(topic);
        cache.put(topic, route);
        return route;
    }

    private Route find(String topic) {
        List<Rule> matching = new ArrayList<>();
        collect(root, TopicFilter.levels(topic), 0, topic.startsWith("$"), matching);
        matching.sort(Rule.SPEAKS);
        List<Rule> speaking = new ArrayList<>();
        for (Rule rule : matching) {
            if (speaking.stream().noneMatch(other -> other.target() == rule.target())) {
                speaking.add(rule);
            }
        }
        return new Route(
                topic,
                speaking.stream().mapToInt(Rule::target).toArray(),
                speaking.stream().mapToInt(Rule::identifier).toArray());
    }

    private static void collect(Node node, List<String> levels, int depth, boolean dollar, List<Rule> found) {
        boolean wildcards = depth > 0 || !dollar;
        if (wildcards && node.rest != null) {
            found.addAll(node.rest.rules);
        }
        if (depth == levels.size()) {
            found.addAll(node.rules);
            return;
        }
        Node next = node.children.get(levels.get(depth));
        if (next != null) {
            collect(next, levels, depth + 1, dollar, found);
        }
        if (wildcards && node.any != null) {
            collect(node.any, levels, depth + 1, dollar, found);
        }
    }

    private static final class Node {
        private final Map<String, Node> children = new HashMap<>();
        private final List<Rule> rules = new ArrayList<>(1);
        private @Nullable Node any;
        private @Nullable Node rest;

        Node child(String level) {
            if (level.equals("+")) {
                any = any == null ? new Node() : any;
                return any;
            }
            if (level.equals("#")) {
                rest = rest == null ? new Node() : rest;
                return rest;
            }
            return children.computeIfAbsent(level, l -> new Node());
        }
    }
}
