package io.plantline.model;

/**
 * What leaves together, pinned before the first attempt. A retry, by whichever publisher, is the same plan.
 *
 * @param target name of the target in the configuration
 * @param fingerprint of the target definition that accepted the messages
 * @param outbox identity of the target's outbox, unique over all targets and all plants
 * @param epoch of the outbox: no two starts share one
 * @param first sequence of the first message
 * @param last sequence of the last message
 * @param lane the lane it belongs to, from 0
 * @param count messages in it; lanes interleave, so it can be fewer than {@code last - first + 1}
 */
public record Plan(
        String target, String fingerprint, String outbox, long epoch, long first, long last, int lane, int count) {

    /** Unique over all plants, and part of every object's name and metadata. */
    public String id() {
        return idPrefix() + "-" + padded(first) + "-" + padded(last);
    }

    /** Message ids of this plan are this prefix, a hyphen and the sequence. */
    public String idPrefix() {
        return outbox + "-" + epoch;
    }

    /** The id of one message, the same in every format and on every attempt. */
    public String messageId(long sequence) {
        return idPrefix() + "-" + padded(sequence);
    }

    /** Zero-padded, so that names sort as numbers do. */
    public static String padded(long sequence) {
        String digits = Long.toString(sequence);
        return "0000000000000000000".substring(Math.min(19, digits.length())) + digits;
    }
}
