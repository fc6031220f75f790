package io.plantline.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Follows the packet boundaries of the stream and takes out each PUBLISH that is too large, so that one such message
 * does not close the connection, come back with the session, and close it again for ever. Everything else passes in
 * slices as large as what the socket read.
 */
final class OversizeGuard extends ByteToMessageDecoder {
    /** Bytes of a packet that is no message; a hundredth would do, and what is held until it is there is held in memory. */
    private static final int MAX_OTHER = 1 << 20;

    private static final int PUBLISH = 3;
    private static final int INCOMPLETE = -1;
    private static final int MALFORMED = -2;

    private static final int CONNACK = 2;

    private final int maxPacketSize;
    private boolean first;
    private long passing;
    private long skipping;

    OversizeGuard(int maxPacketSize, int version) {
        this.maxPacketSize = maxPacketSize;
        this.first = version == 5;
    }

    /** A CONNACK in the form of MQTT 3.1.1, without properties, as the answer to MQTT 5. */
    record OldConnAck(int code) {}

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (skipping > 0) {
            int now = (int) Math.min(skipping, in.readableBytes());
            in.skipBytes(now);
            skipping -= now;
            return;
        }
        if (first && !firstPacket(in, out)) {
            return;
        }
        int start = in.readerIndex();
        int at = start;
        int end = in.writerIndex();
        while (at < end) {
            if (passing > 0) {
                int now = (int) Math.min(passing, end - at);
                at += now;
                passing -= now;
                continue;
            }
            int header = headerLength(in, at, end);
            if (header == MALFORMED && at == start) {
                throw new CorruptedFrameException("a remaining length of more than four bytes");
            }
            if (header < 0) {
                break;
            }
            int remaining = remainingLength(in, at);
            boolean message = in.getUnsignedByte(at) >> 4 == PUBLISH;
            if (message && header + remaining > maxPacketSize) {
                break;
            }
            if (!message && remaining > MAX_OTHER) {
                if (at > start) {
                    break; // What is whole before it counts.
                }
                throw new CorruptedFrameException("a packet of " + remaining + " bytes that is no message");
            }
            passing = (long) header + remaining;
        }
        if (at > start) {
            out.add(in.readRetainedSlice(at - start));
        } else {
            takeOut(in, out);
        }
    }

    /** Looks for an old CONNACK in the first packet; false while too little of it is there, or if it was one. */
    private boolean firstPacket(ByteBuf in, List<Object> out) {
        if (in.readableBytes() < 4) {
            return false;
        }
        first = false;
        int at = in.readerIndex();
        if (in.getUnsignedByte(at) >> 4 == CONNACK && in.getByte(at + 1) == 2) {
            out.add(new OldConnAck(in.getUnsignedByte(at + 3)));
            in.skipBytes(4);
            return false;
        }
        return true;
    }

    /** Length of the fixed header at {@code at} (MQTT 5.0 section 2.1); INCOMPLETE or MALFORMED, both negative, if none. */
    private static int headerLength(ByteBuf in, int at, int end) {
        for (int i = 1; i <= 4; i++) {
            if (at + i >= end) {
                return INCOMPLETE;
            }
            if (in.getByte(at + i) >= 0) {
                return i + 1;
            }
        }
        return MALFORMED;
    }

    private static int remainingLength(ByteBuf in, int at) {
        int value = 0;
        for (int i = 1; i <= 4; i++) {
            byte part = in.getByte(at + i);
            value |= (part & 0x7F) << (7 * (i - 1));
            if (part >= 0) {
                break;
            }
        }
        return value;
    }

    /** Starts skipping the oversize PUBLISH at the reader's position, once topic and packet id are there. */
    private void takeOut(ByteBuf in, List<Object> out) {
        int at = in.readerIndex();
        int header = headerLength(in, at, in.writerIndex());
        if (header < 0 || in.readableBytes() < header + 2) {
            return;
        }
        int flags = in.getUnsignedByte(at);
        int qos = (flags >> 1) & 3;
        int topicLength = in.getUnsignedShort(at + header);
        int needed = header + 2 + topicLength + (qos > 0 ? 2 : 0);
        long size = (long) header + remainingLength(in, at);
        if (needed > size) {
            throw new CorruptedFrameException("a topic longer than its packet");
        }
        if (in.readableBytes() < needed) {
            return;
        }
        String topic = in.toString(at + header + 2, topicLength, StandardCharsets.UTF_8);
        int packetId = qos > 0 ? in.getUnsignedShort(at + header + 2 + topicLength) : 0;
        in.skipBytes(needed);
        skipping = size - needed;
        out.add(new OversizeMessage(topic, qos, packetId, size));
    }
}
