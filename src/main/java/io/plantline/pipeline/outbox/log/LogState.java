package io.plantline.pipeline.outbox.log;

import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Discarded;
import io.plantline.pipeline.outbox.log.LogRecord.Dropped;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogRecord.Planned;
import io.plantline.pipeline.outbox.log.LogRecord.Released;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the records of a log add up to. The writer keeps one, and so does recovery: both apply the same records. */
public final class LogState {
    private Lane[] lanes;
    private long nextSequence = 1;
    private HeldIdentifiers identifiers = new HeldIdentifiers();
    private long delivered;
    private long filtered;
    private long deadLettered;
    private long refused;
    private final long[] losses = new long[Loss.values().length];

    /** Of an empty log with so many lanes. */
    public LogState(int lanes) {
        this.lanes = new Lane[lanes];
        Arrays.setAll(this.lanes, i -> new Lane());
    }

    /** How far one lane is. */
    public static final class Lane {
        private long stored;
        private long done;
        private long cursor = 1;
        private @Nullable Planned plan;
        private @Nullable Origin origin;
        private @Nullable Gap gap;

        /** Messages that the lane has ever had. */
        public long stored() {
            return stored;
        }

        /** Of them, those that are accounted for. */
        public long done() {
            return done;
        }

        /** Nothing of this lane before this sequence is needed any more. */
        public long cursor() {
            return cursor;
        }

        /** The plan that was made and not committed. */
        public @Nullable Planned plan() {
            return plan;
        }

        public long waiting() {
            return stored - done;
        }

        /** Messages of the lane before the {@linkplain #cursor cursor}. */
        public long ordinal() {
            return gap == null ? done : done - gap.count();
        }

        /** Messages that are not needed between some that are. */
        public @Nullable Gap gap() {
            return gap;
        }

        /** The lane goes on with this sequence; a gap that it has come to is behind it. */
        private void goOn(long next) {
            cursor = Math.max(cursor, next);
            Gap open = gap;
            if (open != null && cursor >= open.keptEnd()) {
                cursor = Math.max(cursor, open.next());
                gap = null;
            }
        }

        private void drop(Dropped dropped) {
            Gap open = gap;
            done += dropped.count();
            if (open != null && dropped.next() <= open.keptEnd()) {
                goOn(dropped.next()); // Of those before it.
                return;
            }
            gap = new Gap(
                    dropped.keptEnd(),
                    dropped.count() + (open == null ? 0 : open.count()),
                    dropped.next(),
                    dropped.ordinal());
            goOn(cursor);
        }

        /** Whether something between two sequences, the second excluded, is needed. */
        private boolean needs(long from, long to) {
            Gap open = gap;
            return waiting() > 0
                    && (open == null
                            ? to > cursor
                            : Math.max(from, cursor) < Math.min(to, open.keptEnd()) || to > open.next());
        }

        /** What the last of its messages were made from, if processors make them. */
        public @Nullable Origin origin() {
            return origin;
        }
    }

    /**
     * Dropped messages in the middle of a lane.
     *
     * @param keptEnd sequence behind the last message before them
     * @param count how many
     * @param next sequence of the first message behind them
     * @param ordinal messages of the lane before that
     */
    public record Gap(long keptEnd, long count, long next, long ordinal) {}

    public int lanes() {
        return lanes.length;
    }

    public Lane lane(int lane) {
        return lanes[lane];
    }

    public long nextSequence() {
        return nextSequence;
    }

    /** Packet identifiers of QoS 2 messages that are stored and not released. */
    public HeldIdentifiers identifiers() {
        return identifiers.copy();
    }

    public long delivered() {
        return delivered;
    }

    public long filtered() {
        return filtered;
    }

    public long deadLettered() {
        return deadLettered;
    }

    public long lost(Loss loss) {
        return losses[loss.code()];
    }

    public long accepted() {
        return stored() + refused;
    }

    private long stored() {
        return Arrays.stream(lanes).mapToLong(Lane::stored).sum();
    }

    public long waiting() {
        return Arrays.stream(lanes).mapToLong(Lane::waiting).sum();
    }

    boolean hasGaps() {
        return Arrays.stream(lanes).anyMatch(lane -> lane.gap != null);
    }

    /** Whether a message between two sequences, the second excluded, is needed. */
    boolean needs(long from, long to) {
        return Arrays.stream(lanes).anyMatch(lane -> lane.needs(from, to));
    }

    /** Sequence before which nothing is needed any more, in any lane. */
    long lowWater() {
        long low = nextSequence;
        for (Lane lane : lanes) {
            if (lane.waiting() > 0) {
                low = Math.min(low, lane.cursor);
            }
        }
        return low;
    }

    /** No message has had a sequence from this one on. */
    void goOnFrom(long sequence) {
        nextSequence = Math.max(nextSequence, sequence);
    }

    /** A log whose snapshots are all damaged does not say how many lanes it has. */
    private Lane grown(int lane) {
        int before = lanes.length;
        if (lane >= before) {
            lanes = Arrays.copyOf(lanes, lane + 1);
            Arrays.setAll(lanes, i -> i < before ? lanes[i] : new Lane());
        }
        return lanes[lane];
    }

    void apply(LogRecord record) {
        if (record instanceof Stored stored) {
            Lane lane = grown(stored.lane());
            if (lane.waiting() == 0) {
                lane.cursor = Math.max(lane.cursor, stored.first()); // It needs nothing that is before.
            }
            // Not added up: where damage took records, the ordinal still says how many messages there were.
            lane.stored = stored.ordinal() + stored.batch().count();
            if (stored.origin() != null) {
                lane.origin = stored.origin(); // Others come processed from elsewhere, and say nothing.
            }
            nextSequence = stored.end();
            // Of a message that came with none nothing is known of the session.
            if (!stored.identifiers().isEmpty()) {
                identifiers.add(stored.identifiers());
            }
        } else if (record instanceof Planned planned) {
            grown(planned.lane()).plan = planned;
        } else if (record instanceof Committed committed) {
            Lane lane = grown(committed.lane());
            lane.done += committed.count();
            lane.goOn(committed.last() + 1);
            lane.plan = null;
            delivered += committed.delivered();
            filtered += committed.filtered();
            deadLettered += committed.deadLettered();
        } else if (record instanceof Discarded discarded) {
            if (discarded.lane() == Discarded.NEVER_STORED) {
                refused += discarded.count();
            } else {
                Lane lane = grown(discarded.lane());
                lane.done += discarded.count();
                lane.goOn(discarded.next());
                Planned plan = lane.plan;
                if (plan != null && plan.last() < lane.cursor) {
                    lane.plan = null;
                }
            }
            losses[discarded.loss().code()] += discarded.count();
        } else if (record instanceof Dropped dropped) {
            grown(dropped.lane()).drop(dropped);
            losses[dropped.loss().code()] += dropped.count();
        } else if (record instanceof Released released) {
            identifiers.remove(released.generation(), released.identifiers());
        }
    }

    /** Bytes that {@link #encode} takes at most. */
    int encodedBound() {
        return 9 * (12 + losses.length + 18 * lanes.length) + identifiers.encodedSize();
    }

    void encode(ByteBuffer out) {
        out.putLong(nextSequence);
        identifiers.encode(out);
        out.putLong(delivered).putLong(filtered).putLong(deadLettered).putLong(refused);
        for (long loss : losses) {
            out.putLong(loss);
        }
        out.putInt(lanes.length);
        for (Lane lane : lanes) {
            out.putLong(lane.stored).putLong(lane.done).putLong(lane.cursor);
            Planned plan = lane.plan;
            out.put((byte) (plan == null ? 0 : 1));
            if (plan != null) {
                out.putInt(plan.epoch())
                        .putLong(plan.first())
                        .putLong(plan.last())
                        .putInt(plan.count());
            }
            Origin origin = lane.origin;
            out.put((byte) (origin == null ? 0 : 1));
            if (origin != null) {
                origin.encode(out);
            }
            Gap gap = lane.gap;
            out.put((byte) (gap == null ? 0 : 1));
            if (gap != null) {
                out.putLong(gap.keptEnd())
                        .putLong(gap.count())
                        .putLong(gap.next())
                        .putLong(gap.ordinal());
            }
        }
    }

    static LogState decode(ByteBuffer in) {
        long next = in.getLong();
        HeldIdentifiers identifiers = HeldIdentifiers.decode(in);
        long delivered = in.getLong();
        long filtered = in.getLong();
        long deadLettered = in.getLong();
        long refused = in.getLong();
        long[] losses = new long[Loss.values().length];
        Arrays.setAll(losses, i -> in.getLong());
        LogState state = new LogState(in.getInt());
        state.nextSequence = next;
        state.identifiers = identifiers;
        state.delivered = delivered;
        state.filtered = filtered;
        state.deadLettered = deadLettered;
        state.refused = refused;
        System.arraycopy(losses, 0, state.losses, 0, losses.length);
        for (int i = 0; i < state.lanes.length; i++) {
            Lane lane = state.lanes[i];
            lane.stored = in.getLong();
            lane.done = in.getLong();
            lane.cursor = in.getLong();
            if (in.get() == 1) {
                lane.plan = new Planned(i, in.getInt(), in.getLong(), in.getLong(), in.getInt());
            }
            lane.origin = in.get() == 1 ? Origin.decode(in) : null;
            lane.gap = in.get() == 1 ? new Gap(in.getLong(), in.getLong(), in.getLong(), in.getLong()) : null;
        }
        return state;
    }

    /** A copy that does not change with this one. */
    LogState copy() {
        ByteBuffer encoded = ByteBuffer.allocate(encodedBound());
        encode(encoded);
        return decode(encoded.flip());
    }

    /** The same state with another number of lanes; only where nothing waits. */
    LogState withLanes(int count) {
        if (waiting() > 0) {
            throw new IllegalStateException("lanes change only while nothing waits");
        }
        LogState state = copy();
        state.lanes = new LogState(count).lanes;
        // The books of lanes that are gone go on in the first.
        state.lanes[0].stored = stored();
        state.lanes[0].done = stored();
        for (int i = 0; i < count; i++) {
            state.lanes[i].cursor = nextSequence;
            state.lanes[i].origin = i < lanes.length ? lanes[i].origin : null;
        }
        return state;
    }
}
