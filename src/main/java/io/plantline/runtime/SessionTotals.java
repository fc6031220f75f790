package io.plantline.runtime;

import io.plantline.mqtt.SessionCounters;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.Vitals;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Several sessions, shown as one. */
final class SessionTotals {
    private SessionTotals() {}

    /** The state of the first that does not work, the counters of all. */
    static Vitals.Session of(List<SessionStatus> all) {
        Map<String, Long> counters = new TreeMap<>();
        List<String> degraded = new ArrayList<>();
        SessionStatus shown = all.get(0);
        for (SessionStatus one : all) {
            count(one.counters()).forEach((name, value) -> counters.merge(name, value, Long::sum));
            degraded.addAll(one.degraded());
            if (works(shown) && !works(one)) {
                shown = one;
            }
        }
        return new Vitals.Session(shown.state().name(), works(shown), degraded, shown.detail(), counters);
    }

    private static boolean works(SessionStatus status) {
        return switch (status.state()) {
            case SUBSCRIBED, DEGRADED, PRESSURE -> true;
            default -> false;
        };
    }

    private static Map<String, Long> count(SessionCounters.Snapshot counters) {
        Map<String, Long> byName = new TreeMap<>();
        byName.put("received", counters.received());
        byName.put("acknowledged", counters.acknowledged());
        byName.put("redelivered", counters.redelivered());
        byName.put("qos0_shed", counters.qos0Shed());
        byName.put("oversize", counters.oversize());
        byName.put("duplicates_suppressed", counters.duplicatesSuppressed());
        byName.put("unknown_pubrel", counters.unknownPubrel());
        byName.put("stale_acknowledgements", counters.staleAcknowledgements());
        byName.put("receive_maximum_overruns", counters.receiveMaximumOverruns());
        byName.put("protocol_errors", counters.protocolErrors());
        byName.put("connects", counters.connects());
        byName.put("takeovers", counters.takeovers());
        byName.put("sessions_lost", counters.sessionsLost());
        return byName;
    }
}
