package io.plantline.spi;

import io.plantline.model.Failure;
import java.util.Map;
import java.util.TreeMap;

/**
 * What became of the pending messages of a plan: those named here were not delivered, all others were.
 *
 * @param refused failure by ordinal
 */
public record Verdicts(Map<Integer, Failure> refused) {
    private static final Verdicts ALL_DELIVERED = new Verdicts(Map.of());

    public Verdicts {
        refused = Map.copyOf(refused);
    }

    /** Every message was delivered. */
    public static Verdicts allDelivered() {
        return ALL_DELIVERED;
    }

    public boolean isDelivered(int ordinal) {
        return !refused.containsKey(ordinal);
    }

    /** Collects verdicts while a plan is delivered. */
    public static final class Collector {
        private final Map<Integer, Failure> refused = new TreeMap<>();

        public void refuse(int ordinal, Failure failure) {
            refused.put(ordinal, failure);
        }

        public Verdicts verdicts() {
            return refused.isEmpty() ? ALL_DELIVERED : new Verdicts(refused);
        }
    }
}
