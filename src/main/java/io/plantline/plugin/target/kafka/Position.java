package io.plantline.plugin.target.kafka;

import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * How far an outbox is in the cluster, committed with the transaction that brought it there: every message up to
 * {@code last} is there, but for those that are named.
 *
 * @param last sequence
 * @param missingFrom sequence that the first bit of {@code missing} stands for
 * @param missing messages that were refused, and so are not there
 */
record Position(long last, long missingFrom, BitSet missing) {
    static final Position START = new Position(0, 0, new BitSet());

    boolean covers(long sequence) {
        long bit = sequence - missingFrom;
        return sequence <= last && (bit < 0 || bit > Integer.MAX_VALUE || !missing.get((int) bit));
    }

    static Position of(long last, Collection<Long> missing) {
        long from = missing.stream().mapToLong(Long::longValue).min().orElse(0);
        BitSet bits = new BitSet();
        missing.forEach(sequence -> bits.set(Math.toIntExact(sequence - from)));
        return new Position(last, from, bits);
    }

    OffsetAndMetadata encode() {
        return new OffsetAndMetadata(
                last,
                missing.isEmpty() ? "" : missingFrom + ":" + Base64.getEncoder().encodeToString(missing.toByteArray()));
    }

    /** The furthest of those that a group has: each topic of the target keeps the last that began with it. */
    static Position decode(Map<TopicPartition, OffsetAndMetadata> committed) {
        Position furthest = START;
        for (OffsetAndMetadata offset : committed.values()) {
            if (offset != null && offset.offset() >= furthest.last) {
                furthest = decode(offset);
            }
        }
        return furthest;
    }

    private static Position decode(OffsetAndMetadata offset) {
        int colon = offset.metadata().indexOf(':');
        return colon < 0
                ? new Position(offset.offset(), 0, new BitSet())
                : new Position(
                        offset.offset(),
                        Long.parseLong(offset.metadata().substring(0, colon)),
                        BitSet.valueOf(
                                Base64.getDecoder().decode(offset.metadata().substring(colon + 1))));
    }
}
