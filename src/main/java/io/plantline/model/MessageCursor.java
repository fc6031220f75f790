package io.plantline.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Walks through a batch without an object per message: the accessors speak of the message that the last
 * {@link #next()} stepped to.
 */
public final class MessageCursor {
    private final byte[] bytes;
    private final int count;
    private final String[] knownTopics;
    private final List<String> topics = new ArrayList<>();
    private final Varint.Reader reader;

    private int index = -1;
    private int flags;
    private int topicIndex;
    private long receivedAt;
    private long sequence;
    private int payloadOffset;
    private int payloadLength;
    private int propertiesOffset;
    private int propertiesLength;

    MessageCursor(byte[] bytes, int count, String[] knownTopics, long firstSequence) {
        this.bytes = bytes;
        this.count = count;
        this.knownTopics = knownTopics;
        this.reader = new Varint.Reader(bytes, 0);
        this.sequence = firstSequence;
    }

    /** Steps to the next message; false when there is none. */
    public boolean next() {
        if (index + 1 >= count || reader.position() >= bytes.length) {
            return false;
        }
        index++;
        flags = reader.unsignedByte();
        topicIndex = reader.readInt();
        if (topicIndex == topics.size()) {
            readTopic();
        }
        receivedAt += Varint.unzigzag(reader.readLong());
        sequence += reader.readLong();
        payloadLength = reader.readInt();
        payloadOffset = reader.position();
        reader.skip(payloadLength);
        propertiesLength = 0;
        if ((flags & MessageBatch.PROPERTIES) != 0) {
            propertiesLength = reader.readInt();
            propertiesOffset = reader.position();
            reader.skip(propertiesLength);
        }
        return true;
    }

    private void readTopic() {
        if (topicIndex < knownTopics.length) {
            topics.add(knownTopics[topicIndex]);
            reader.skip(reader.readInt());
        } else {
            topics.add(reader.string());
        }
    }

    /** Position within the batch, from 0. */
    public int index() {
        return index;
    }

    public String topic() {
        return topics.get(topicIndex);
    }

    public long sequence() {
        return sequence;
    }

    /** When the message was read from the broker, microseconds since 1970. */
    public long receivedAtMicros() {
        return receivedAt;
    }

    /** QoS the broker delivered with: 0, 1 or 2. */
    public int qos() {
        return flags & MessageBatch.QOS;
    }

    public boolean retained() {
        return (flags & MessageBatch.RETAINED) != 0;
    }

    /** Whether the broker marked it as sent before (DUP). */
    public boolean redelivered() {
        return (flags & MessageBatch.REDELIVERED) != 0;
    }

    int flags() {
        return flags;
    }

    /** The array that holds the payload, for a reader that promises not to write to it. */
    public byte[] array() {
        return bytes;
    }

    public int payloadOffset() {
        return payloadOffset;
    }

    public int payloadLength() {
        return payloadLength;
    }

    /** A copy of the payload. */
    public byte[] payload() {
        return Arrays.copyOfRange(bytes, payloadOffset, payloadOffset + payloadLength);
    }

    void copyPayload(byte[] target, int offset) {
        System.arraycopy(bytes, payloadOffset, target, offset, payloadLength);
    }

    public MessageProperties properties() {
        return propertiesLength == 0
                ? MessageProperties.NONE
                : MessageProperties.decode(bytes, propertiesOffset, propertiesLength);
    }
}
