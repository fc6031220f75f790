package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.lang.ref.WeakReference;
import org.junit.jupiter.api.Test;

class AcknowledgementsTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelDuplexHandler());
    private final Acknowledgements acknowledgements =
            new Acknowledgements(channel.pipeline().firstContext(), new SessionCounters());

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

    private WeakReference<Receipt> passOne() {
        Receipt passed = new Receipt(acknowledgements);
        passed.arrived();
        return new WeakReference<>(passed);
    }
}
