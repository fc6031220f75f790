package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.model.Problem;
import io.plantline.model.TopicFilter;
import io.plantline.spi.Endpoint;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.TargetFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What only the whole document shows: names that lead nowhere, loops, endpoints that a strict plant refuses. */
final class CrossChecks {
    private final JsonNode root;
    private final Configuration configuration;
    private final List<Problem> problems;

    CrossChecks(JsonNode root, Configuration configuration, List<Problem> problems) {
        this.root = root;
        this.configuration = configuration;
        this.problems = problems;
    }

    void run() {
        names();
        overlaps();
        loops();
        endpoints();
        directories();
    }

    /** Only a dispatcher keeps messages. */
    private void directories() {
        if (!configuration.roles().contains(ClusterConfig.Role.DISPATCHER)) {
            return;
        }
        for (TargetDefinition target : configuration.targets().values()) {
            if (configuration.data().isEmpty() && needsDataDirectory(target.factory(), target.config())) {
                problems.add(Problem.error(
                        pointer("targets", target.name()),
                        "this works only with messages kept on disk",
                        "set data-directory (or EDGE_DATA_DIR)"));
            }
        }
    }

    private void names() {
        Set<String> targets = keys("targets");
        Set<String> processors = keys("processors");
        Set<String> usedTargets = new HashSet<>();
        Set<String> usedProcessors = new HashSet<>();
        for (Subscription subscription : configuration.subscriptions()) {
            String place = pointer(subscription);
            boolean one = root.at(place).has("target");
            for (int i = 0; i < subscription.targets().size(); i++) {
                String target = subscription.targets().get(i);
                usedTargets.add(target);
                exists(targets, target, place + (one ? "/target" : "/targets/" + i), "target");
            }
        }
        for (TargetDefinition target : configuration.targets().values()) {
            String place = pointer("targets", target.name());
            for (int i = 0; i < target.processors().size(); i++) {
                String processor = target.processors().get(i);
                usedProcessors.add(processor);
                exists(processors, processor, place + "/processors/" + i, "processor");
            }
            target.deadLetterTarget().ifPresent(name -> {
                usedTargets.add(name);
                exists(targets, name, place + "/dead-letter-target", "target");
                if (deadLettersReturnTo(target)) {
                    problems.add(Problem.error(
                            place + "/dead-letter-target",
                            "dead letters of \"" + target.name() + "\" would come back to it",
                            "end the chain with a target that has no dead-letter-target"));
                }
            });
            needsDeadLetterTarget(target, place);
        }
        unused("targets", configuration.targets().keySet(), usedTargets);
        unused("processors", configuration.processors().keySet(), usedProcessors);
    }

    private boolean deadLettersReturnTo(TargetDefinition target) {
        Set<String> seen = new HashSet<>();
        Optional<String> next = target.deadLetterTarget();
        while (next.isPresent() && seen.add(next.get())) {
            if (next.get().equals(target.name())) {
                return true;
            }
            next = Optional.ofNullable(configuration.targets().get(next.get()))
                    .flatMap(TargetDefinition::deadLetterTarget);
        }
        return false;
    }

    private void needsDeadLetterTarget(TargetDefinition target, String place) {
        if (target.deadLetterTarget().isPresent() || configuration.data().isPresent()) {
            return;
        }
        for (String name : target.processors()) {
            ProcessorDefinition processor = configuration.processors().get(name);
            if (processor != null && processor.onFailure() == ProcessorDefinition.OnFailure.DEAD_LETTER) {
                problems.add(
                        Problem.warning(
                                place,
                                "a message that the processor \"" + name
                                        + "\" refuses holds this target until somebody acts, and what the session"
                                        + " receives behind it is not acknowledged",
                                "name a dead-letter-target or a data-directory, or set \"on-failure\": \"pass-through\" on the processor"));
            }
        }
    }

    private void exists(Set<String> known, String name, String place, String kind) {
        if (!known.contains(name)) {
            problems.add(
                    Problem.error(place, "there is no " + kind + " \"" + name + "\"", Suggestion.among(name, known)));
        }
    }

    private void unused(String kind, Collection<String> names, Set<String> used) {
        for (String name : names) {
            if (!used.contains(name)) {
                problems.add(Problem.warning(pointer(kind, name), "nothing uses \"" + name + "\"", null));
            }
        }
    }

    private void overlaps() {
        boolean untold = configuration.broker().version() == 4;
        List<Subscription> all = configuration.subscriptions();
        for (int i = 0; i < all.size(); i++) {
            for (int j = i + 1; j < all.size(); j++) {
                Subscription a = all.get(i);
                Subscription b = all.get(j);
                boolean spread = a.spread() || b.spread();
                if ((untold || spread) && a.meets(b)) {
                    problems.add(
                            Problem.warning(
                                    pointer(b),
                                    "overlaps with \"" + a.filter() + "\" and has the same target",
                                    spread
                                            ? "where one is spread, copies come by several connections, and such a message twice"
                                            : "MQTT 3.1.1 brokers may send such a message twice; MQTT 5 tells the copies apart"));
                }
            }
        }
    }

    private void loops() {
        for (TargetDefinition target : configuration.targets().values()) {
            Set<String> feeders = feedersOf(target.name());
            for (Endpoint endpoint : endpoints(target.factory(), target.config())) {
                if (configuration.broker().addresses().stream().noneMatch(address -> same(address, endpoint))) {
                    continue;
                }
                for (Subscription subscription : configuration.subscriptions()) {
                    TopicFilter back = republishes(target.factory(), target.config(), subscription.filter());
                    if (back != null && !Collections.disjoint(feeders, subscription.targets())) {
                        refuseLoop(target, back);
                    }
                }
            }
        }
    }

    /** The target itself, and those whose dead letters end up there. */
    private Set<String> feedersOf(String name) {
        Set<String> feeders = new HashSet<>(Set.of(name));
        boolean grown = true;
        while (grown) {
            grown = configuration.targets().values().stream()
                    .filter(target ->
                            target.deadLetterTarget().filter(feeders::contains).isPresent())
                    .map(target -> feeders.add(target.name()))
                    .reduce(false, Boolean::logicalOr);
        }
        return feeders;
    }

    private void refuseLoop(TargetDefinition target, TopicFilter back) {
        for (Subscription subscription : configuration.subscriptions()) {
            if (subscription.filter().overlaps(back)) {
                problems.add(Problem.error(
                        pointer("targets", target.name()) + "/topic",
                        "publishes to \"" + back.pattern() + "\" at the broker we subscribe at, and \""
                                + subscription.filter() + "\" would bring it back",
                        "set \"topic\" to one that no subscription matches"));
                return;
            }
        }
    }

    private static boolean same(BrokerAddress address, Endpoint endpoint) {
        if (address.port() != endpoint.port()) {
            return false;
        }
        if (address.host().equalsIgnoreCase(endpoint.host())) {
            return true;
        }
        try {
            Set<InetAddress> ours = Set.copyOf(List.of(InetAddress.getAllByName(address.host())));
            return List.of(InetAddress.getAllByName(endpoint.host())).stream().anyMatch(ours::contains);
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private void endpoints() {
        boolean strict = root.path("security").asText().equals("strict");
        Set<String> allowed = new HashSet<>();
        root.path("allowed-endpoints").forEach(item -> allowed.add(item.asText()));
        EndpointRules rules = new EndpointRules(strict, allowed, problems);
        BrokerConfig broker = configuration.broker();
        for (BrokerAddress address : broker.addresses()) {
            rules.check(
                    "/mqtt-broker/addresses", new Endpoint(broker.tls().isPresent(), address.host(), address.port()));
        }
        configuration
                .cluster()
                .filter(cluster -> cluster.tls().isEmpty())
                .ifPresent(cluster -> cluster.members()
                        .forEach(member ->
                                rules.check("/cluster/members", new Endpoint(false, member.host(), member.port()))));
        for (TargetDefinition target : configuration.targets().values()) {
            endpoints(target.factory(), target.config())
                    .forEach(endpoint -> rules.check(pointer("targets", target.name()), endpoint));
        }
        for (ProcessorDefinition processor : configuration.processors().values()) {
            endpoints(processor.factory(), processor.config())
                    .forEach(endpoint -> rules.check(pointer("processors", processor.name()), endpoint));
        }
    }

    /** Warns of plaintext and loopback, or refuses them. */
    private record EndpointRules(boolean strict, Set<String> allowed, List<Problem> problems) {
        void check(String place, Endpoint endpoint) {
            String host = endpoint.host();
            if (allowed.contains(host) || allowed.contains(host + ":" + endpoint.port())) {
                return;
            }
            if (!endpoint.encrypted()) {
                report(place, "the connection to " + host + " is not encrypted", "use TLS");
            }
            if (isLocal(host)) {
                report(place, host + " is a loopback or link-local address", "name the service");
            }
        }

        private void report(String place, String message, String hint) {
            problems.add(
                    strict
                            ? Problem.error(
                                    place,
                                    message + ", which security: strict refuses",
                                    hint + ", or add it to allowed-endpoints")
                            : Problem.warning(place, message, hint));
        }

        private static boolean isLocal(String host) {
            boolean literal = host.matches("[0-9.]+") || host.indexOf(':') >= 0 || host.equals("localhost");
            if (!literal) {
                return false;
            }
            try {
                InetAddress address = InetAddress.getByName(host);
                return address.isLoopbackAddress() || address.isLinkLocalAddress() || address.isAnyLocalAddress();
            } catch (UnknownHostException e) {
                return false;
            }
        }
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> List<Endpoint> endpoints(TargetFactory<C> factory, Object config) {
        return factory.endpoints((C) config);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> List<Endpoint> endpoints(ProcessorFactory<C> factory, Object config) {
        return factory.endpoints((C) config);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> boolean needsDataDirectory(TargetFactory<C> factory, Object config) {
        return factory.needsDataDirectory((C) config);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> @Nullable TopicFilter republishes(TargetFactory<C> factory, Object config, TopicFilter filter) {
        return factory.republishes((C) config, filter);
    }

    private Set<String> keys(String kind) {
        Set<String> keys = new java.util.TreeSet<>();
        root.path(kind).fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    /** What is shared by the mode of all is written without its group. */
    private String pointer(Subscription subscription) {
        TopicFilter filter = subscription.filter();
        boolean asWritten = root.path("subscriptions").has(filter.text());
        return pointer("subscriptions", asWritten ? filter.text() : filter.pattern());
    }

    private static String pointer(String kind, String name) {
        return "/" + kind + "/" + JsonDocument.escape(name);
    }
}
