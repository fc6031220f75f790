package io.plantline.mqtt;

import java.util.List;

/**
 * How a session is, for people and probes.
 *
 * @param address the broker it is connected to, or tries
 * @param version MQTT version in use, 5 or 4 (3.1.1)
 * @param degraded what is not as configured: refused or downgraded subscriptions
 * @param detail of the state, for a person
 */
public record SessionStatus(
        State state,
        String address,
        int version,
        List<String> degraded,
        String detail,
        SessionCounters.Snapshot counters) {

    /** The life of a session. */
    public enum State {
        CONNECTING,
        /** Connected, and every subscription granted as asked. */
        SUBSCRIBED,
        /** Connected, but not every subscription granted as asked. */
        DEGRADED,
        /** Waiting for the next attempt. */
        BACKING_OFF,
        /** Another client with our identifier takes the session again and again. */
        TAKEN_OVER,
        /** Connected, but reading no more until enough of what we hold is safe. */
        PRESSURE,
        /** Reading no more; what is in flight is finished. */
        DRAINING,
        CLOSED
    }

    public SessionStatus {
        degraded = List.copyOf(degraded);
    }
}
