package io.plantline.mqtt;

import java.util.function.LongSupplier;

/**
 * How long acknowledgements of one connection wait for others to leave with.
 *
 * <p>Where messages come one by one there is a write every {@value #REST_NANOS} ns at most. A broker with Nagle's algorithm
 * (Mosquitto's default) holds what comes meanwhile and sends it in one segment, which costs both sides less than a
 * packet, a plan and an acknowledgement for each; from other brokers messages come as before, and only their
 * acknowledgements leave together. What comes after a pause does not wait, and neither does what comes fast: the
 * broker may have no room left in its window.
 */
final class Pace {
    /** Half of it, on average, is what a message waits at the broker; the median live stays below a millisecond. */
    static final long REST_NANOS = 1_450_000;

    /** So many messages that wait for an acknowledgement did not come one by one. */
    static final int MANY = 8;

    /**
     * The broker's window is this wide, where a rest does not stop it: a full one comes in two parts, one with us and one
     * held until the first is acknowledged, of which one has {@link #MANY}, so that neither rests.
     */
    static final int WIDE = 2 * MANY;

    private final LongSupplier nanoTime;
    private long lastNanos;
    private boolean lastHadMany;
    private boolean windowIsWide;

    Pace(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong() - REST_NANOS;
    }

    /** So many messages are not acknowledged now, a new one included. */
    void received(int unacknowledged) {
        windowIsWide |= unacknowledged >= WIDE;
    }

    /** So many acknowledgements have left. */
    void acknowledged(int count) {
        lastNanos = nanoTime.getAsLong();
        lastHadMany = count >= MANY;
    }

    /**
     * How long what is due may wait, in nanoseconds; not at all, if that is not positive.
     *
     * @param unacknowledged messages whose acknowledgement has not left, be it due or not, and PUBCOMPs that have not
     */
    long restNanos(int unacknowledged) {
        boolean oneByOne = windowIsWide && !lastHadMany && unacknowledged < MANY;
        return oneByOne ? REST_NANOS - (nanoTime.getAsLong() - lastNanos) : 0;
    }
}
