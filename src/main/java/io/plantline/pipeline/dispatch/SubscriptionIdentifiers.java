package io.plantline.pipeline.dispatch;

import io.plantline.model.TopicFilter;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * MQTT 5 subscription identifiers (section 3.8.2.1.2), where filters overlap and copies must be told apart. They are
 * made from the filter's text, so that the same filter has the same one after a restart, and another filter another.
 * Where nothing overlaps there are none: they cost a property in every message.
 */
final class SubscriptionIdentifiers {
    private static final int LARGEST = 268_435_455;

    private final Map<TopicFilter, Integer> identifiers = new HashMap<>();

    SubscriptionIdentifiers(List<TopicFilter> filters) {
        if (!anyOverlap(filters)) {
            return;
        }
        Set<Integer> taken = new HashSet<>();
        for (TopicFilter filter :
                filters.stream().sorted((a, b) -> a.text().compareTo(b.text())).toList()) {
            int identifier = hash(filter.text());
            while (!taken.add(identifier)) {
                identifier = identifier % LARGEST + 1;
            }
            identifiers.put(filter, identifier);
        }
    }

    private static boolean anyOverlap(List<TopicFilter> filters) {
        for (int i = 0; i < filters.size(); i++) {
            for (int j = i + 1; j < filters.size(); j++) {
                if (filters.get(i).overlaps(filters.get(j))) {
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

    /** The identifier of a filter, or 0 if none is needed. */
    int of(TopicFilter filter) {
        return identifiers.getOrDefault(filter, 0);
    }
}
