package io.plantline.model;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Messages in one compact block of bytes: the unit everywhere, on the event bus, in the outbox and in processors.
 *
 * <p>Written once, from the network buffer; immutable afterwards, so that it is handed on by reference. Per message:
 *
 * <pre>
 *  flags        1 byte   QoS in bits 0-1, retained 2, redelivered 3, has properties 4
 *  topic        varint   index into the batch's topics; the next new index is followed by its length and UTF-8 bytes
 *  received-at  varint   zigzag difference to the message before, microseconds since 1970
 *  sequence     varint   difference to the message before (the first counts from the batch's first sequence)
 *  payload      varint   length, then the bytes
 *  properties   varint   length, then the bytes; only if flagged
 * </pre>
 */
public final class MessageBatch {
    static final int RETAINED = 0x04;
    static final int REDELIVERED = 0x08;
    static final int PROPERTIES = 0x10;
    static final int QOS = 0x03;

    private final byte[] bytes;
    private final int count;
    private final String[] topics;
    private final long firstSequence;

    private MessageBatch(byte[] bytes, int count, String[] topics, long firstSequence) {
        this.bytes = bytes;
        this.count = count;
        this.topics = topics;
        this.firstSequence = firstSequence;
    }

    /** Messages in the batch. */
    public int count() {
        return count;
    }

    /** Bytes the batch takes, the topics included. */
    public int sizeInBytes() {
        return bytes.length;
    }

    /** Sequence of the first message. */
    public long firstSequence() {
        return firstSequence;
    }

    /** The same messages, numbered from {@code first} on; shares the bytes. */
    public MessageBatch numberedFrom(long first) {
        return new MessageBatch(bytes, count, topics, first);
    }

    /** Reads the messages in order; every cursor is independent of the others. */
    public MessageCursor cursor() {
        return new MessageCursor(bytes, count, topics, firstSequence);
    }

    /** The encoded messages, for the wire and for a log. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** The encoded messages themselves, for a reader that promises not to write to it. */
    public byte[] array() {
        return bytes;
    }

    /** The reverse of {@link #toBytes()}; the array belongs to the batch from now on. */
    public static MessageBatch of(byte[] bytes, int count, long firstSequence) {
        return new MessageBatch(bytes, count, new String[0], firstSequence);
    }

    @Override
    public String toString() {
        return "MessageBatch[" + count + " messages, " + bytes.length + " bytes, from " + firstSequence + "]";
    }

    /** Fills one batch after another; belongs to one thread. */
    public static final class Builder {
        private static final int ROOM_FOR_NUMBERS = 48;
        private static final int MAX_KEPT = 1 << 20;

        private final Map<String, Integer> topicIndex = new HashMap<>();
        private byte[] bytes;
        private int length;
        private int count;
        private long lastReceivedAt;
        private long lastSequence;

        /** A builder whose first array holds {@code capacity} bytes. */
        public Builder(int capacity) {
            bytes = new byte[Math.max(64, capacity)];
        }

        public int count() {
            return count;
        }

        public int sizeInBytes() {
            return length;
        }

        /** Appends a message that follows the one before in sequence. */
        public Builder add(
                String topic,
                int qos,
                boolean retained,
                boolean redelivered,
                long receivedAtMicros,
                MessageProperties properties,
                int payloadLength,
                PayloadSource payload) {
            long sequence = count == 0 ? 0 : lastSequence + 1;
            int flags = (qos & QOS) | (retained ? RETAINED : 0) | (redelivered ? REDELIVERED : 0);
            return add(topic, flags, receivedAtMicros, sequence, properties, payloadLength, payload);
        }

        /** Appends {@code message} with another payload, in the sequence it has; for processors. */
        public Builder addChanged(MessageCursor message, MessageProperties properties, byte[] payload) {
            return add(
                    message.topic(),
                    message.flags() & ~PROPERTIES,
                    message.receivedAtMicros(),
                    message.sequence(),
                    properties,
                    payload.length,
                    (target, offset) -> System.arraycopy(payload, 0, target, offset, payload.length));
        }

        /** Appends {@code message} as it is, in the sequence it has. */
        public Builder addCopy(MessageCursor message) {
            return add(
                    message.topic(),
                    message.flags() & ~PROPERTIES,
                    message.receivedAtMicros(),
                    message.sequence(),
                    message.properties(),
                    message.payloadLength(),
                    message::copyPayload);
        }

        private Builder add(
                String topic,
                int flags,
                long receivedAtMicros,
                long sequence,
                MessageProperties properties,
                int payloadLength,
                PayloadSource payload) {
            boolean bare = properties.equals(MessageProperties.NONE);
            byte[] encodedProperties = bare ? NOTHING : properties.encode();
            Integer known = topicIndex.get(topic);
            byte[] newTopic = known != null ? NOTHING : topic.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            ensure(ROOM_FOR_NUMBERS + newTopic.length + payloadLength + encodedProperties.length);

            bytes[length++] = (byte) (bare ? flags : flags | PROPERTIES);
            if (known != null) {
                length = Varint.write(bytes, length, known);
            } else {
                length = Varint.write(bytes, length, topicIndex.size());
                topicIndex.put(topic, topicIndex.size());
                length = append(newTopic);
            }
            length = Varint.write(bytes, length, Varint.zigzag(receivedAtMicros - lastReceivedAt));
            length = Varint.write(bytes, length, sequence - lastSequence);
            length = Varint.write(bytes, length, payloadLength);
            payload.copyTo(bytes, length);
            length += payloadLength;
            if (!bare) {
                length = append(encodedProperties);
            }
            lastReceivedAt = receivedAtMicros;
            lastSequence = sequence;
            count++;
            return this;
        }

        private int append(byte[] part) {
            int at = Varint.write(bytes, length, part.length);
            System.arraycopy(part, 0, bytes, at, part.length);
            return at + part.length;
        }

        private void ensure(int more) {
            if (length + more < 0) {
                throw new IllegalStateException("a batch holds at most 2 GiB");
            }
            if (bytes.length - length < more) {
                bytes = Arrays.copyOf(bytes, (int)
                        Math.min(Integer.MAX_VALUE - 8, Math.max(bytes.length * 2L, (long) length + more)));
            }
        }

        /** The batch so far; the builder is empty afterwards. Sequences count from 0 until somebody numbers it. */
        public MessageBatch build() {
            String[] topics = new String[topicIndex.size()];
            topicIndex.forEach((topic, index) -> topics[index] = topic);
            // A batch may wait for long, so it takes no more than it has; the array that grew to fit is used again.
            MessageBatch batch = new MessageBatch(Arrays.copyOf(bytes, length), count, topics, 0);
            if (bytes.length > MAX_KEPT || length < bytes.length / 16) {
                bytes = new byte[Math.max(64, Math.min(length * 2, MAX_KEPT))];
            }
            topicIndex.clear();
            length = 0;
            count = 0;
            lastReceivedAt = 0;
            lastSequence = 0;
            return batch;
        }

        private static final byte[] NOTHING = new byte[0];
    }
}
