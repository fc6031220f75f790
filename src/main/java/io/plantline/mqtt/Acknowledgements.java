package io.plantline.mqtt;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The acknowledgements of one connection: they leave in the order of receipt (MQTT 5.0 section 4.6), many per write,
 * and never on another connection.
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

    Acknowledgements(ChannelHandlerContext channel, SessionCounters counters, Pace pace) {
        this.channel = channel;
        this.counters = counters;
        this.pace = pace;
    }

    /** A message of this connection could not be kept: nothing more is acknowledged here, and the broker sends again. */
    void abandon() {
        flush();
        ChannelHandlerContext open = channel;
        close();
        if (open != null) {
            open.close();
        }
    }

    /** Another message was delivered that wants an acknowledgement. */
    void delivered() {
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
            due++;
            put(receipt.qos(i) == 1 ? PUBACK : PUBREC, receipt.packetId(i));
        }
    }

    /** Answers PUBREL; the reason of an unknown identifier exists in MQTT 5 only (section 3.7.2.1). */
    void complete(int packetId, boolean unknownInVersion5) {
        completions++;
        if (unknownInVersion5) {
            ByteBuf out = room();
            out.writeByte(PUBCOMP).writeByte(3).writeShort(packetId).writeByte(0x92);
        } else {
            put(PUBCOMP, packetId);
        }
    }

    private void put(int type, int packetId) {
        room().writeInt(type << 24 | 2 << 16 | packetId);
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

    /** Writes what is due, now. */
    void flush() {
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

    /** The connection is gone: what is not acknowledged never will be here. */
    void close() {
        counters.staleAcknowledgements += due;
        due = 0;
        channel = null;
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
    }
}
