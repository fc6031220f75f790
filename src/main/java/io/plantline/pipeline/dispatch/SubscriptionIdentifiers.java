package io.plantline.pipeline.dispatch;

import io.plantline.config.Subscription;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * MQTT 5 subscription identifiers (section 3.8.2.1.2), where filters overlap and copies must be told apart. One is made
 * from the filter and from those it overlaps with on the way to the same target: as long as that set is the same, so is
 * the identifier, over restarts too; when it changes, messages that the broker queued before carry an identifier that
 * nobody knows, and none of them is taken for a copy. Where nothing overlaps there are none: they cost a property in every
 * message.
 */
final class SubscriptionIdentifiers {
    private static final int LARGEST = 268_435_455;

    private final Map<Subscription, Integer> identifiers = new HashMap<>();

    SubscriptionIdentifiers(List<Subscription> subscriptions) {
        if (!anyOverlap(subscriptions)) {
            return;
        }
        Set<Integer> taken = new HashSet<>();
        for (Subscription subscription : subscriptions.stream()
                .sorted(Comparator.comparing(SubscriptionIdentifiers::text))
                .toList()) {
            String set = subscriptions.stream()
                    .filter(other -> !other.equals(subscription) && other.meets(subscription))
                    .map(SubscriptionIdentifiers::text)
                    .sorted()
                    .collect(Collectors.joining("\n"));
            int identifier = hash(text(subscription) + "\n" + set);
            while (!taken.add(identifier)) {
                identifier = identifier % LARGEST + 1;
            }
            identifiers.put(subscription, identifier);
        }
    }

    /** The QoS belongs to it: a broker queues nothing at QoS 0, so that a copy may be missing. */
    private static String text(Subscription subscription) {
        return subscription.filter().text() + " " + subscription.qos();
    }

    private static boolean anyOverlap(List<Subscription> subscriptions) {
        for (int i = 0; i < subscriptions.size(); i++) {
            for (int j = i + 1; j < subscriptions.size(); j++) {
                if (subscriptions.get(i).filter().overlaps(subscriptions.get(j).filter())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static int hash(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return (int) (crc.getValue() % LARGEST) + 1;
    }

    /** The identifier of a subscription, or 0 if none is needed. */
    int of(Subscription subscription) {
        return identifiers.getOrDefault(subscription, 0);
    }
}
