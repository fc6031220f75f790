package io.plantline.config;

import io.plantline.model.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a change of the document changes in what runs.
 *
 * @param targets what becomes of each target that does not stay as it is, by name
 * @param broker what becomes of the session
 * @param lines for a person: each begins with {@code +}, {@code -} or {@code ~}
 * @param problems what cannot change while it runs; then nothing changes
 */
public record Difference(
        Map<String, TargetChange> targets, BrokerChange broker, List<String> lines, List<Problem> problems) {

    /** What becomes of a target. */
    public enum TargetChange {
        OPEN,
        /** What makes it this target and no other has changed: the log of the former one drains as it was defined. */
        OPEN_ANOTHER,
        /** Publishers are replaced, the log stays. */
        ADJUST,
        /** Drains, then closes. */
        CLOSE
    }

    /** What becomes of the session with the broker. */
    public enum BrokerChange {
        NONE,
        /** The broker need not know. */
        ADJUST,
        /** The same session on another connection. */
        RECONNECT,
        /** Another session; the former one is emptied and ended. */
        REPLACE
    }

    public Difference {
        targets = Map.copyOf(targets);
        lines = List.copyOf(lines);
        problems = List.copyOf(problems);
    }

    /** Compares two documents. */
    public static Difference between(Configuration before, Configuration after) {
        Map<String, TargetChange> targets = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        for (String name : new TreeSet<>(union(before.targets(), after.targets()))) {
            TargetChange change =
                    change(before.targets().get(name), after.targets().get(name));
            if (change != null) {
                targets.put(name, change);
                lines.add(
                        switch (change) {
                            case OPEN -> "+ target " + name;
                            case CLOSE -> "- target " + name + ": what waits is delivered first";
                            case OPEN_ANOTHER ->
                                "~ target " + name
                                        + ": another one by this name; what waits goes where it was meant to go";
                            case ADJUST ->
                                "~ target " + name + ": the same one, treated otherwise"
                                        + later(
                                                before.targets().get(name),
                                                after.targets().get(name));
                        });
            }
        }
        for (String name : new TreeSet<>(union(before.processors(), after.processors()))) {
            ProcessorDefinition old = before.processors().get(name);
            ProcessorDefinition next = after.processors().get(name);
            if (old == null || next == null) {
                lines.add((old == null ? "+" : "-") + " processor " + name);
            } else if (!old.fingerprint().equals(next.fingerprint())) {
                lines.add("~ processor " + name);
            }
        }
        subscriptions(before, after, lines);
        BrokerChange broker = broker(before.broker(), after.broker());
        switch (broker) {
            case NONE -> {}
            case ADJUST -> lines.add("~ broker: nothing that it notices");
            case RECONNECT -> lines.add("~ broker: the same session on a new connection");
            case REPLACE ->
                lines.add("~ broker: a new session as " + after.broker().clientId() + "; the one as "
                        + before.broker().clientId() + " is emptied and ended");
        }
        List<Problem> problems = new ArrayList<>();
        if (!before.data().equals(after.data())) {
            problems.add(Problem.error(
                    "/data-directory",
                    "where and how messages are kept cannot change while they are there",
                    "restart the process to have data-directory or data-min-free changed"));
        }
        if (!before.cluster().equals(after.cluster())) {
            problems.add(Problem.error(
                    "/cluster",
                    "a node cannot change who it works with while it runs",
                    "restart the processes to have the cluster changed, one after the other"));
        }
        return new Difference(targets, broker, lines, problems);
    }

    /** What of a target that stays has to wait. */
    private static String later(@Nullable TargetDefinition before, @Nullable TargetDefinition after) {
        boolean waits = before != null
                && after != null
                && (before.lanes() != after.lanes() || before.instances() != after.instances());
        return waits ? " (lanes and instances with the next start)" : "";
    }

    private static TreeSet<String> union(Map<String, ?> some, Map<String, ?> others) {
        TreeSet<String> names = new TreeSet<>(some.keySet());
        names.addAll(others.keySet());
        return names;
    }

    private static @Nullable TargetChange change(@Nullable TargetDefinition before, @Nullable TargetDefinition after) {
        if (before == null) {
            return TargetChange.OPEN;
        } else if (after == null) {
            return TargetChange.CLOSE;
        } else if (!before.fingerprint().equals(after.fingerprint())) {
            return TargetChange.OPEN_ANOTHER;
        }
        return before.source().equals(after.source()) ? null : TargetChange.ADJUST;
    }

    private static BrokerChange broker(BrokerConfig before, BrokerConfig after) {
        if (before.equals(after)) {
            return BrokerChange.NONE;
        } else if (!before.clientId().equals(after.clientId())) {
            return BrokerChange.REPLACE;
        }
        return before.differsOnTheWire(after) ? BrokerChange.RECONNECT : BrokerChange.ADJUST;
    }

    private static void subscriptions(Configuration before, Configuration after, List<String> lines) {
        Map<String, Subscription> old = byFilter(before);
        Map<String, Subscription> next = byFilter(after);
        for (String filter : union(old, next)) {
            Subscription was = old.get(filter);
            Subscription is = next.get(filter);
            if (was == null && is != null) {
                lines.add("+ subscription " + text(is));
            } else if (was != null && is == null) {
                lines.add("- subscription " + text(was));
            } else if (was == null || is == null) {
                throw new IllegalStateException(filter);
            } else if (!Objects.equals(was, is)) {
                lines.add("~ subscription " + text(was) + ", now " + text(is));
            }
        }
    }

    private static Map<String, Subscription> byFilter(Configuration configuration) {
        Map<String, Subscription> subscriptions = new LinkedHashMap<>();
        configuration
                .subscriptions()
                .forEach(subscription -> subscriptions.put(subscription.filter().text(), subscription));
        return subscriptions;
    }

    private static String text(Subscription subscription) {
        return subscription.filter() + " (QoS " + subscription.qos() + ") to "
                + String.join(", ", subscription.targets());
    }
}
