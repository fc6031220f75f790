package io.plantline.plugin.target.kafka;

import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * How far an outbox is in the cluster, committed with the transaction that brought it there: every message up to
 * {@code last} is there, but for those that are named.
 *
 * @param epoch of the outbox in which {@code last} was received; after damage to the outbox a later one can have the same sequences again
 * @param last sequence
 * @param missingFrom sequence that the first bit of {@code missing} stands for
 * @param missing messages that were refused, and so are not there
 */
record Position(long epoch, long last, long missingFrom, BitSet missing) {
    static final Position START = new Position(0, 0, 0, new BitSet());

    boolean covers(long ofEpoch, long sequence) {
        if (ofEpoch != epoch) {
            return ofEpoch < epoch;
        }
        long bit = sequence - missingFrom;
        return sequence <= last && (bit < 0 || bit > Integer.MAX_VALUE || !missing.get((int) bit));
    }

    /**
     * The position when a plan is there as well.
     *
     * @param ofEpoch of the plan
     * @param planEnd its last sequence
     * @param refused messages of it that are not there
     */
    Position after(long ofEpoch, long planEnd, Collection<Long> refused) {
        LongStream here = refused.stream().mapToLong(Long::longValue);
        if (ofEpoch != epoch) {
            return of(ofEpoch, planEnd, here.toArray());
        }
        // The last plan may have been a longer one, of which the rest comes again.
        LongStream behind = missing.stream().mapToLong(bit -> missingFrom + bit).filter(sequence -> sequence > planEnd);
        return of(
                epoch, Math.max(planEnd, last), LongStream.concat(here, behind).toArray());
    }

    private static Position of(long epoch, long last, long[] missing) {
        long from = LongStream.of(missing).min().orElse(0);
        BitSet bits = new BitSet();
        for (long sequence : missing) {
            bits.set(Math.toIntExact(sequence - from));
        }
        return new Position(epoch, last, from, bits);
    }

    OffsetAndMetadata encode() {
        return new OffsetAndMetadata(
                last, epoch + ":" + missingFrom + ":" + Base64.getEncoder().encodeToString(missing.toByteArray()));
    }

    /** The furthest of those that a group has: each topic of the target keeps the last that began with it. */
    static Position decode(Map<TopicPartition, OffsetAndMetadata> committed) {
        Position furthest = START;
        for (OffsetAndMetadata offset : committed.values()) {
            if (offset != null) {
                Position found = decode(offset);
                boolean further =
                        found.epoch == furthest.epoch ? found.last >= furthest.last : found.epoch > furthest.epoch;
                furthest = further ? found : furthest;
            }
        }
        return furthest;
    }

    private static Position decode(OffsetAndMetadata offset) {
        String[] parts = offset.metadata().split(":", -1);
        return new Position(
                Long.parseLong(parts[0]),
                offset.offset(),
                Long.parseLong(parts[1]),
                BitSet.valueOf(Base64.getDecoder().decode(parts[2])));
    }
}
