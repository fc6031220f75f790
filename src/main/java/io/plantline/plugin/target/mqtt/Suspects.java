package io.plantline.plugin.target.mqtt;

import io.plantline.model.Plan;
import java.util.HashMap;
import java.util.Map;

/**
 * Messages at which connections end. A broker of MQTT 3.1.1 can refuse a message in no other way (section 4.8), so that the one after
 * which nothing was acknowledged any more, time and again, is likely to be why: it is sent alone then, and if that is the
 * end as well, it is told of.
 */
final class Suspects {
    private static final int ALONE_FROM = 2;
    private static final int CERTAIN_FROM = 4;

    private final Map<String, Suspect> byPlan = new HashMap<>();

    private record Suspect(int ordinal, int connections) {}

    /** Whether the next message of a plan goes alone. */
    boolean isAlone(Plan plan) {
        Suspect suspect = byPlan.get(key(plan));
        return suspect != null && suspect.connections >= ALONE_FROM;
    }

    /**
     * A connection has ended before a message was acknowledged, and nothing of its plan was acknowledged on it.
     *
     * @return whether that has happened so often that somebody must look
     */
    boolean ended(Plan plan, int ordinal) {
        Suspect before = byPlan.get(key(plan));
        Suspect now = new Suspect(ordinal, before == null || before.ordinal != ordinal ? 1 : before.connections + 1);
        byPlan.put(key(plan), now);
        return now.connections >= CERTAIN_FROM;
    }

    /** Something of a plan was acknowledged. */
    void clear(Plan plan) {
        if (!byPlan.isEmpty()) {
            byPlan.remove(key(plan));
        }
    }

    /** The same for a plan that has grown meanwhile. */
    private static String key(Plan plan) {
        return plan.messageId(plan.first());
    }
}
