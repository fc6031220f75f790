package io.plantline.mqtt;

import static io.plantline.mqtt.Pace.MANY;
import static io.plantline.mqtt.Pace.REST_NANOS;
import static io.plantline.mqtt.Pace.WIDE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AcknowledgementsTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelDuplexHandler());
    private final AtomicLong nanos = new AtomicLong();
    private final SessionCounters counters = new SessionCounters();
    private final Acknowledgements acknowledgements = of(65_535);
    private int lastPacketId;

    private Acknowledgements of(int window) {
        return new Acknowledgements(channel.pipeline().firstContext(), counters, new Pace(nanos::get), window);
    }

    @Test
    void leaveInOrderOfReceipt() {
        Receipt first = new Receipt(acknowledgements);
        first.add(1, 1);
        Receipt second = new Receipt(acknowledgements);
        second.add(2, 2);
        second.arrived();
        channel.runPendingTasks();
        assertThat(channel.outboundMessages()).isEmpty();
        first.arrived();
        channel.runPendingTasks();
        ByteBuf written = channel.readOutbound();
        assertThat(written.readInt()).isEqualTo(0x40020001);
        assertThat(written.readInt()).isEqualTo(0x50020002);
        written.release();
    }

    /** A target that is down must not make a heap of what needs no acknowledgement. */
    @Test
    void readsThatNeedNoneDoNotWaitBehindOneThatDoes() {
        Receipt stuck = new Receipt(acknowledgements);
        stuck.add(1, 1);
        WeakReference<Receipt> shed = passOne();
        await().until(() -> {
            System.gc();
            return shed.get() == null;
        });
        assertThat(stuck.isDone()).isFalse();
    }

    @Test
    void ofMessagesThatComeOneByOneLeaveTogether() {
        manyThenOne();
        for (int i = 0; i < 3; i++) {
            pass(REST_NANOS / 4);
            acknowledge(receive(1));
            assertThat(written()).isZero();
        }
        pass(REST_NANOS / 4);
        assertThat(written()).isEqualTo(3);
    }

    @Test
    void ofAMessageAfterAPauseLeaveAtOnce() {
        manyThenOne();
        for (int i = 0; i < 3; i++) {
            pass(REST_NANOS);
            acknowledge(receive(1));
            assertThat(written()).isEqualTo(1);
        }
    }

    /** A broker with a narrow window waits for each; nothing would come meanwhile. */
    @Test
    void doNotRestWhereTheWindowMayBeNarrow() {
        channel.freezeTime();
        acknowledge(receive(WIDE - 1));
        assertThat(written()).isEqualTo(WIDE - 1);
        for (int i = 0; i < 100; i++) {
            acknowledge(receive(1));
            assertThat(written()).isEqualTo(1);
        }
    }

    /** A broker whose window is full sends nothing until they leave. */
    @Test
    void leaveBeforeTheRestIsOverWhenManyWait() {
        manyThenOne();
        for (int i = 1; i < MANY; i++) {
            acknowledge(receive(1));
            assertThat(written()).isZero();
        }
        acknowledge(receive(1));
        assertThat(written()).isEqualTo(MANY);
        acknowledge(receive(1));
        assertThat(written()).as("after many at once").isEqualTo(1);
        acknowledge(receive(1));
        Receipt unsafe = receive(MANY - 2);
        assertThat(written()).isZero();
        Receipt another = receive(1);
        assertThat(written()).as("what else waits counts").isEqualTo(1);
        acknowledge(unsafe);
        acknowledge(another);
        assertThat(written()).isZero();
        pass(REST_NANOS);
        assertThat(written()).isEqualTo(MANY - 1);
    }

    @Test
    void ofReleasesLeaveTogetherToo() {
        manyThenOne();
        for (int i = 1; i < MANY; i++) {
            acknowledgements.complete(i, false);
            assertThat(written()).isZero();
        }
        acknowledgements.complete(MANY, false);
        assertThat(written()).isEqualTo(MANY);
    }

    @Test
    void thatRestLeaveWithTheGoodbyeAndNotAfterIt() {
        manyThenOne();
        acknowledge(receive(1));
        assertThat(written()).isZero();
        acknowledgements.finish();
        assertThat(written()).isEqualTo(1);
        pass(REST_NANOS);
        assertThat(written()).isZero();
    }

    @Test
    void thatRestDoNotLeaveWhenTheConnectionIsGone() {
        manyThenOne();
        acknowledge(receive(1));
        acknowledgements.close();
        pass(REST_NANOS);
        assertThat(written()).isZero();
        assertThat(counters.staleAcknowledgements).isEqualTo(1);
    }

    @Test
    void thatRestLeaveBeforeTheConnectionIsGivenUp() {
        manyThenOne();
        acknowledge(receive(1));
        Receipt unsafe = receive(1);
        assertThat(written()).isZero();
        unsafe.fail(failed -> {});
        assertThat(written()).isEqualTo(1);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void theLastWaitsWhileHalfOfTheWindowIsBetweenPubrecAndPubcomp() {
        Acknowledgements narrow = of(8);
        acknowledge(receive(narrow, 2, 5));
        assertThat(packets()).containsExactly(0x50020001, 0x50020002, 0x50020003, 0x50020004);
        narrow.released(1);
        assertThat(packets()).isEmpty();
        narrow.complete(1, false);
        assertThat(packets()).as("PUBCOMP makes room first").containsExactly(0x70020001, 0x50020005);
    }

    /** There is nothing that it could wait for. */
    @Test
    void theOnlyOneLeavesAtOnce() {
        for (int window = 1; window <= 3; window++) {
            lastPacketId = 0;
            Acknowledgements narrow = of(window);
            acknowledge(receive(narrow, 2, 1));
            assertThat(packets()).containsExactly(0x50020001);
        }
    }

    @Test
    void theLastLeavesWhenAnotherIsTheLast() {
        Acknowledgements narrow = of(8);
        acknowledge(receive(narrow, 2, 5));
        assertThat(packets()).hasSize(4);
        Receipt next = receive(narrow, 1, 1);
        assertThat(packets()).containsExactly(0x50020005);
        acknowledge(next);
        assertThat(packets()).as("of QoS 1, too").isEmpty();
        narrow.complete(1, false);
        assertThat(packets()).containsExactly(0x70020001);
        narrow.complete(2, false);
        assertThat(packets()).containsExactly(0x70020002, 0x40020006);
    }

    @Test
    void whatIsReleasedOfAnEarlierConnectionTakesRoomInTheWindowToo() {
        Acknowledgements narrow = of(2);
        Receipt only = receive(narrow, 2, 1);
        narrow.released(100);
        acknowledge(only);
        assertThat(packets()).isEmpty();
        narrow.complete(100, true);
        channel.runPendingTasks();
        ByteBuf written = channel.readOutbound();
        assertThat(written.readableBytes()).isEqualTo(9);
        assertThat(written.getInt(5)).isEqualTo(0x50020001);
        written.release();
    }

    @Test
    void theLastLeavesWithTheGoodbye() {
        Acknowledgements narrow = of(2);
        acknowledge(receive(narrow, 2, 2));
        assertThat(packets()).hasSize(1);
        narrow.finish();
        assertThat(packets()).containsExactly(0x50020002);
        assertThat(counters.staleAcknowledgements).isZero();
    }

    @Test
    void theLastDoesNotLeaveWhenTheConnectionIsGone() {
        Acknowledgements narrow = of(2);
        acknowledge(receive(narrow, 2, 2));
        assertThat(packets()).hasSize(1);
        narrow.close();
        assertThat(packets()).isEmpty();
        assertThat(counters.staleAcknowledgements).isEqualTo(1);
    }

    private void manyThenOne() {
        channel.freezeTime();
        acknowledge(receive(WIDE));
        assertThat(written()).isEqualTo(WIDE);
        acknowledge(receive(1));
        assertThat(written()).as("after many at once").isEqualTo(1);
    }

    private Receipt receive(int count) {
        return receive(acknowledgements, 1, count);
    }

    private Receipt receive(Acknowledgements owner, int qos, int count) {
        Receipt receipt = new Receipt(owner);
        for (int i = 0; i < count; i++) {
            receipt.add(++lastPacketId, qos);
        }
        return receipt;
    }

    private static void acknowledge(Receipt receipt) {
        receipt.arrived();
    }

    private void pass(long time) {
        nanos.addAndGet(time);
        channel.advanceTimeBy(time, TimeUnit.NANOSECONDS);
    }

    /** Acknowledgements that have left since the last look. */
    private int written() {
        return packets().size();
    }

    /** Packets of four bytes that have left since the last look. */
    private List<Integer> packets() {
        channel.runPendingTasks();
        List<Integer> packets = new ArrayList<>();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            while (out.isReadable()) {
                packets.add(out.readInt());
            }
            out.release();
        }
        return packets;
    }

    private WeakReference<Receipt> passOne() {
        Receipt passed = new Receipt(acknowledgements);
        passed.arrived();
        return new WeakReference<>(passed);
    }
}
