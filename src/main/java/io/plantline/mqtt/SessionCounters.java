package io.plantline.mqtt;

/** What a session has counted; written on its context only, read as a {@link Snapshot}. */
public final class SessionCounters {
    long received;
    long acknowledged;
    long redelivered;
    long qos0Shed;
    long oversize;
    long duplicatesSuppressed;
    long unknownPubrel;
    long staleAcknowledgements;
    long receiveMaximumOverruns;
    long protocolErrors;
    long connects;
    long takeovers;
    long sessionsLost;

    /** The counters of one moment. */
    public record Snapshot(
            long received,
            long acknowledged,
            long redelivered,
            long qos0Shed,
            long oversize,
            long duplicatesSuppressed,
            long unknownPubrel,
            long staleAcknowledgements,
            long receiveMaximumOverruns,
            long protocolErrors,
            long connects,
            long takeovers,
            long sessionsLost) {}

    Snapshot snapshot() {
        return new Snapshot(
                received,
                acknowledged,
                redelivered,
                qos0Shed,
                oversize,
                duplicatesSuppressed,
                unknownPubrel,
                staleAcknowledgements,
                receiveMaximumOverruns,
                protocolErrors,
                connects,
                takeovers,
                sessionsLost);
    }
}
