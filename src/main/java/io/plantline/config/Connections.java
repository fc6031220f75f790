package io.plantline.config;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Which connection asks the broker for which subscriptions. Filters that overlap have one connection together, so that copies
 * can be told apart and order per topic holds; the rest is spread by name, so that another number of connections moves few.
 */
public final class Connections {
    private Connections() {}

    /** The subscriptions of each connection; those that are to be spread are with all of them. */
    public static List<List<Subscription>> split(List<Subscription> subscriptions, int connections) {
        List<List<Subscription>> split = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            split.add(new ArrayList<>());
        }
        List<Subscription> left = new ArrayList<>(subscriptions);
        while (!left.isEmpty()) {
            List<Subscription> together = takeOverlapping(left);
            if (together.get(0).spread()) {
                split.forEach(one -> one.addAll(together));
            } else {
                split.get(connectionOf(together, connections)).addAll(together);
            }
        }
        return split;
    }

    /** The first one, and all that overlap with it, directly or by others; one that is spread is alone. */
    private static List<Subscription> takeOverlapping(List<Subscription> left) {
        List<Subscription> together = new ArrayList<>(List.of(left.remove(0)));
        for (int i = 0; i < together.size() && !together.get(0).spread(); i++) {
            Subscription one = together.get(i);
            List<Subscription> overlapping = left.stream()
                    .filter(other -> !other.spread() && other.filter().overlaps(one.filter()))
                    .toList();
            together.addAll(overlapping);
            left.removeAll(overlapping);
        }
        return together;
    }

    /** By the highest hash of name and connection: one connection more takes its share from all, and moves nothing else. */
    private static int connectionOf(List<Subscription> together, int connections) {
        String name = together.stream()
                .map(subscription -> subscription.filter().text())
                .sorted()
                .findFirst()
                .orElseThrow();
        int best = 0;
        long highest = -1;
        for (int i = 0; i < connections; i++) {
            CRC32C hash = new CRC32C();
            hash.update((i + " " + name + " " + i).getBytes(StandardCharsets.UTF_8));
            if (hash.getValue() > highest) {
                highest = hash.getValue();
                best = i;
            }
        }
        return best;
    }
}
