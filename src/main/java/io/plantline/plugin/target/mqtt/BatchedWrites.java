package io.plantline.plugin.target.mqtt;

import static java.util.concurrent.TimeUnit.MICROSECONDS;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.epoll.EpollSocketChannelConfig;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.VertxWrapper;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.ClientSSLOptions;
import io.vertx.core.net.ConnectOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * A Vert.x whose TCP clients write to the kernel once per turn of the event loop. Vert.x MQTT's client makes its own TCP
 * client and flushes each publish; a system call a message is more than half of what a message costs.
 */
final class BatchedWrites extends VertxWrapper {
    private static final int FLUSH_AFTER = 256;
    private static final long ACK_DELAY_MICROS = 500;

    /** PUBACKs that a broker takes longer to write than we to ask for them. */
    private static final int MANY = 8;

    private final IntSupplier expected;

    private BatchedWrites(VertxInternal delegate, IntSupplier expected) {
        super(delegate);
        this.expected = expected;
    }

    /**
     * Wraps {@code vertx}.
     *
     * @param expected how many acknowledgements the peer still owes us after what was just read
     */
    static Vertx of(Vertx vertx, IntSupplier expected) {
        return new BatchedWrites((VertxInternal) vertx, expected);
    }

    @Override
    public NetClient createNetClient(NetClientOptions options) {
        return new Client(super.createNetClient(options), expected);
    }

    private static NetSocket batched(NetSocket socket, IntSupplier expected) {
        ((NetSocketInternal) socket)
                .channelHandlerContext()
                .pipeline()
                .addBefore("handler", "batchedWrites", new Consolidation(expected));
        return socket;
    }

    /**
     * Also asks the kernel to acknowledge soon, while more is expected: a broker with Nagle's algorithm (Mosquitto's
     * default) holds the second PUBACK until the first is acknowledged, which the kernel would delay by 40 ms. Where
     * many are expected, half a millisecond lets a busy broker gather them in one segment.
     */
    private static final class Consolidation extends FlushConsolidationHandler {
        private final IntSupplier expected;
        private boolean scheduled;

        Consolidation(IntSupplier expected) {
            super(FLUSH_AFTER, true);
            this.expected = expected;
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) throws Exception {
            super.channelReadComplete(context);
            if (!scheduled
                    && expected.getAsInt() > 0
                    && context.channel().config() instanceof EpollSocketChannelConfig config) {
                if (expected.getAsInt() < MANY) {
                    acknowledge(context, config);
                } else {
                    scheduled = true;
                    context.executor().schedule(() -> acknowledge(context, config), ACK_DELAY_MICROS, MICROSECONDS);
                }
            }
        }

        private void acknowledge(ChannelHandlerContext context, EpollSocketChannelConfig config) {
            scheduled = false;
            if (expected.getAsInt() > 0 && context.channel().isOpen()) {
                // On acknowledges what is due; off again, or each small segment would be acknowledged by itself.
                config.setTcpQuickAck(true);
                config.setTcpQuickAck(false);
            }
        }
    }

    private record Client(NetClient client, IntSupplier expected) implements NetClient {
        private Future<NetSocket> connect(Supplier<Future<NetSocket>> how) {
            return how.get().map(socket -> batched(socket, expected));
        }

        @Override
        public Future<NetSocket> connect(int port, String host) {
            return connect(() -> client.connect(port, host));
        }

        @Override
        public Future<NetSocket> connect(int port, String host, String serverName) {
            return connect(() -> client.connect(port, host, serverName));
        }

        @Override
        public Future<NetSocket> connect(SocketAddress address) {
            return connect(() -> client.connect(address));
        }

        @Override
        public Future<NetSocket> connect(SocketAddress address, String serverName) {
            return connect(() -> client.connect(address, serverName));
        }

        @Override
        public Future<NetSocket> connect(ConnectOptions options) {
            return connect(() -> client.connect(options));
        }

        @Override
        public Future<Void> shutdown(long timeout, TimeUnit unit) {
            return client.shutdown(timeout, unit);
        }

        @Override
        public Future<Boolean> updateSSLOptions(ClientSSLOptions options, boolean force) {
            return client.updateSSLOptions(options, force);
        }
    }
}
