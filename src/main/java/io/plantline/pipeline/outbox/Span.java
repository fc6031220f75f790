package io.plantline.pipeline.outbox;

/**
 * Messages of a lane, one behind the other, that are to leave together and are on disk only: together they may be more than
 * fits into memory.
 */
final class Span {
    private final int epoch;
    private final long first;
    private final long ordinal;
    private final long oldestMicros;
    private final long acceptedNanos;
    private long end;
    private int count;
    private long bytes;
    private boolean closed;

    /**
     * A span that begins with a batch, and does not have it yet.
     *
     * @param ordinal messages of the lane before it
     */
    Span(Entry head, long ordinal) {
        this.epoch = head.epoch();
        this.first = head.batch().firstSequence();
        this.ordinal = ordinal;
        this.oldestMicros = head.oldestMicros();
        this.acceptedNanos = head.acceptedNanos();
        this.end = first;
    }

    void add(Entry entry) {
        end = entry.end();
        count += entry.batch().count();
        bytes += entry.batch().sizeInBytes();
    }

    /** Nothing more comes to it. */
    void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    int epoch() {
        return epoch;
    }

    /** Sequence of its first message. */
    long first() {
        return first;
    }

    /** Messages of the lane before it. */
    long ordinal() {
        return ordinal;
    }

    /** Sequence behind its last message. */
    long end() {
        return end;
    }

    int count() {
        return count;
    }

    long bytes() {
        return bytes;
    }

    /** When its first message was received, microseconds since 1970. */
    long oldestMicros() {
        return oldestMicros;
    }

    long acceptedNanos() {
        return acceptedNanos;
    }
}
