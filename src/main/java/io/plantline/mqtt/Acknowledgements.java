package io.plantline.mqtt;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The acknowledgements of one connection: they leave in the order of receipt (MQTT 5.0 section 4.6), many per write,
 * and never on another connection.
 *
 * <p>The last one waits while half of the window or more is between PUBREC and PUBCOMP. A message counts towards the window until
 * PUBCOMP (MQTT 5.0 section 4.9), but a broker may look at what waits only when it gets a PUBACK or PUBREC: Artemis does, so
 * that nothing more would come if that found the window full. The next message makes another one the last.
 */
final class Acknowledgements {
    private static final int PUBACK = 0x40;
    private static final int PUBREC = 0x50;
    private static final int PUBCOMP = 0x70;

    private final SessionCounters counters;
    private final Pace pace;
    private final ArrayDeque<Receipt> waiting = new ArrayDeque<>();
    private @Nullable ChannelHandlerContext channel;
    private @Nullable ByteBuf buffer;
    private boolean flushScheduled;

    /** The flush that is scheduled is for later. */
    private boolean resting;

    private int unacknowledged;

    /** Of those, in the buffer. */
    private int due;

    /** PUBCOMPs in the buffer. */
    private int completions;

    private final BitSet handshakes = new BitSet();
    private final int manyHandshakes;

    /** Identifiers between PUBREC and PUBCOMP, those that the broker has of an earlier connection too. */
    private int openHandshakes;

    /** The packet that waits for them; 0: none. */
    private int last;

    /**
     * Those of a new connection.
     *
     * @param window what the broker may have in flight
     */
    Acknowledgements(ChannelHandlerContext channel, SessionCounters counters, Pace pace, int window) {
        this.channel = channel;
        this.counters = counters;
        this.pace = pace;
        this.manyHandshakes = Math.max(1, window / 2);
    }

    /** A message of this connection could not be kept: nothing more is acknowledged here, and the broker sends again. */
    void abandon() {
        ChannelHandlerContext open = channel;
        finish();
        if (open != null) {
            open.close();
        }
    }

    /** Another message was delivered that wants an acknowledgement. */
    void delivered() {
        putLast();
        unacknowledged++;
        pace.received(unacknowledged);
        if (resting && channel != null) {
            scheduleFlush(channel.executor());
        }
    }

    /** Messages whose acknowledgement has not been written. */
    int unacknowledged() {
        return unacknowledged;
    }

    /** Queues a receipt behind those before it. */
    void queue(Receipt receipt) {
        waiting.add(receipt);
    }

    /** Writes what is done, from the head on, up to the first that is not. */
    void drain() {
        Receipt head = waiting.peek();
        while (head != null && head.isDone()) {
            waiting.poll();
            write(head);
            head = waiting.peek();
        }
    }

    private void write(Receipt receipt) {
        if (channel == null) {
            counters.staleAcknowledgements += receipt.count();
            return;
        }
        for (int i = 0; i < receipt.count(); i++) {
            boolean received = receipt.qos(i) == 2;
            int packet = packet(received ? PUBREC : PUBACK, receipt.packetId(i));
            if (unacknowledged - due == 1 && openHandshakes >= manyHandshakes) {
                last = packet;
            } else {
                acknowledge(packet);
            }
        }
    }

    private void acknowledge(int packet) {
        due++;
        if (packet >>> 24 == PUBREC) {
            open(packet & 0xFFFF);
        }
        room().writeInt(packet);
    }

    /** What waited because it was the last leaves; if anything did. */
    private void putLast() {
        int packet = last;
        if (packet != 0) {
            last = 0;
            acknowledge(packet);
        }
    }

    private void open(int packetId) {
        if (!handshakes.get(packetId)) {
            handshakes.set(packetId);
            openHandshakes++;
        }
    }

    /** PUBREL came, which is to be answered when {@link #complete} says so. */
    void released(int packetId) {
        open(packetId);
    }

    /** Answers PUBREL; the reason of an unknown identifier exists in MQTT 5 only (section 3.7.2.1). */
    void complete(int packetId, boolean unknownInVersion5) {
        completions++;
        if (unknownInVersion5) {
            ByteBuf out = room();
            out.writeByte(PUBCOMP).writeByte(3).writeShort(packetId).writeByte(0x92);
        } else {
            room().writeInt(packet(PUBCOMP, packetId));
        }
        if (handshakes.get(packetId)) {
            handshakes.clear(packetId);
            openHandshakes--;
        }
        if (openHandshakes < manyHandshakes) {
            putLast();
        }
    }

    private static int packet(int type, int packetId) {
        return type << 24 | 2 << 16 | packetId;
    }

    private ByteBuf room() {
        ChannelHandlerContext open = channel;
        if (buffer == null) {
            buffer = open == null
                    ? io.netty.buffer.Unpooled.buffer()
                    : open.alloc().ioBuffer(1024);
        }
        if (open != null && (!flushScheduled || resting)) {
            scheduleFlush(open.executor());
        }
        return buffer;
    }

    private void scheduleFlush(EventExecutor loop) {
        long rest = pace.restNanos(unacknowledged + completions);
        if (rest <= 0) {
            resting = false;
            loop.execute(this::flush);
        } else if (!resting) {
            resting = true;
            loop.schedule(this::flush, rest, NANOSECONDS);
        }
        flushScheduled = true;
    }

    /** Writes what is in the buffer, now. */
    private void flush() {
        flushScheduled = false;
        resting = false;
        ByteBuf out = buffer;
        ChannelHandlerContext open = channel;
        if (out != null && open != null) {
            pace.acknowledged(due + completions);
            counters.acknowledged += due;
            unacknowledged -= due;
            due = 0;
            completions = 0;
            buffer = null;
            open.writeAndFlush(out, open.voidPromise());
        }
    }

    /** What is due leaves, and nothing after it. */
    void finish() {
        putLast();
        flush();
        close();
    }

    /** The connection is gone: what is not acknowledged never will be here. */
    void close() {
        counters.staleAcknowledgements += due + (last == 0 ? 0 : 1);
        due = 0;
        last = 0;
        channel = null;
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
    }
}
