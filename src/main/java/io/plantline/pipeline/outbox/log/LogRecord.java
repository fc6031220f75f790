package io.plantline.pipeline.outbox.log;

import io.plantline.model.MessageBatch;
import io.plantline.pipeline.Identifiers;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a log consists of. */
public sealed interface LogRecord {

    /** Which kind it is, in the file. */
    byte kind();

    /** Whether it needs room for messages; others need next to none, and may free some. */
    default boolean needsRoom() {
        return false;
    }

    /**
     * The messages of another log that processed ones stand for: all of its lane that were not accounted for, up to one.
     *
     * @param last sequence of the last of them, in that log
     * @param passed how many went on
     * @param filtered how many a processor took out
     * @param deadLettered how many it refused
     */
    record Origin(long last, long passed, long filtered, long deadLettered) {
        /** Bytes in a file. */
        static final int BYTES = 32;

        void encode(ByteBuffer out) {
            out.putLong(last).putLong(passed).putLong(filtered).putLong(deadLettered);
        }

        static Origin decode(ByteBuffer in) {
            return new Origin(in.getLong(), in.getLong(), in.getLong(), in.getLong());
        }
    }

    /**
     * Messages.
     *
     * @param lane the lane they belong to
     * @param ordinal messages of this lane before these, since the log was made: a gap tells what damage cost
     * @param identifiers of the QoS 2 messages in it
     * @param origin what they were made from, if a processor made them
     */
    record Stored(
            int lane,
            long ordinal,
            MessageBatch batch,
            Identifiers identifiers,
            @Nullable Origin origin) implements LogRecord {
        static final byte KIND = 1;

        /** Messages as they came from the broker. */
        public Stored(int lane, long ordinal, MessageBatch batch, Identifiers identifiers) {
            this(lane, ordinal, batch, identifiers, null);
        }

        @Override
        public boolean needsRoom() {
            return true;
        }

        @Override
        public byte kind() {
            return KIND;
        }

        long first() {
            return batch.firstSequence();
        }

        long end() {
            return batch.firstSequence() + batch.count();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Stored stored
                    && lane == stored.lane
                    && ordinal == stored.ordinal
                    && first() == stored.first()
                    && Arrays.equals(batch.toBytes(), stored.batch.toBytes())
                    && identifiers.equals(stored.identifiers)
                    && Objects.equals(origin, stored.origin);
        }

        @Override
        public int hashCode() {
            return Long.hashCode(first());
        }
    }

    /**
     * What leaves together, written before the first attempt.
     *
     * @param epoch of its messages
     * @param last sequence of its last message
     */
    record Planned(int lane, int epoch, long first, long last, int count) implements LogRecord {
        static final byte KIND = 2;

        @Override
        public byte kind() {
            return KIND;
        }
    }

    /**
     * Messages of a lane up to {@code last} are accounted for.
     *
     * @param delivered to the target
     * @param filtered by a processor
     * @param deadLettered handed to the dead letters
     */
    record Committed(int lane, long last, long delivered, long filtered, long deadLettered) implements LogRecord {
        static final byte KIND = 3;

        @Override
        public byte kind() {
            return KIND;
        }

        long count() {
            return delivered + filtered + deadLettered;
        }
    }

    /** Why messages will not be delivered. */
    enum Loss {
        /** The log was full, and the configuration says that then the oldest go. */
        DROPPED(0),
        /** Older than the configuration allows. */
        EXPIRED(1),
        /** By command of an operator, or because another outbox has them now. */
        PURGED(2),
        /** Damaged on disk. */
        QUARANTINED(3);

        private final int code;

        Loss(int code) {
            this.code = code;
        }

        /** In the file. */
        int code() {
            return code;
        }

        static Loss of(int code) {
            for (Loss loss : values()) {
                if (loss.code == code) {
                    return loss;
                }
            }
            throw new IllegalArgumentException("a loss of an unknown kind: " + code);
        }
    }

    /**
     * Messages of a lane before {@code next} that are not accounted for yet will not be delivered.
     *
     * @param lane or {@link #NEVER_STORED}
     * @param count how many
     * @param next sequence that the lane goes on with
     */
    record Discarded(int lane, Loss loss, long count, long next) implements LogRecord {
        static final byte KIND = 4;

        /** In place of a lane: these messages were counted, and not stored. */
        public static final int NEVER_STORED = -1;

        @Override
        public byte kind() {
            return KIND;
        }
    }

    /**
     * The oldest messages of a lane that nobody has tried to deliver will not be delivered from here. Those before them, which a
     * publisher has, stay: a lane has one such gap at most.
     *
     * @param loss why: they were dropped, or taken out
     * @param keptEnd sequence behind the last message that stays before them
     * @param count how many
     * @param next sequence that the lane goes on with behind them
     * @param ordinal messages of the lane before that, since the log was made
     */
    record Dropped(int lane, Loss loss, long keptEnd, long count, long next, long ordinal) implements LogRecord {
        static final byte KIND = 7;

        @Override
        public byte kind() {
            return KIND;
        }
    }

    /** Packet identifiers that PUBREL has ended (MQTT 5.0 section 4.3.3). */
    record Released(long generation, int[] identifiers) implements LogRecord {
        static final byte KIND = 5;

        @Override
        public byte kind() {
            return KIND;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Released released
                    && generation == released.generation
                    && Arrays.equals(identifiers, released.identifiers);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(identifiers);
        }
    }

    /**
     * The first record of each segment: all that is known when it begins, so that no older one is needed for it.
     *
     * @param previous number of the segment before, or 0
     * @param previousEnd where that ends; what lies beyond was never durable, nor were segments between the two
     * @param state encoded
     */
    record Snapshot(long previous, long previousEnd, ByteBuffer state) implements LogRecord {
        static final byte KIND = 6;

        @Override
        public byte kind() {
            return KIND;
        }
    }
}
