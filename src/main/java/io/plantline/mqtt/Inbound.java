package io.plantline.mqtt;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.internal.ContextInternal;

/** Hands decoded packets to the connection, on the session's context, without a copy of the payload. */
final class Inbound extends ChannelInboundHandlerAdapter {
    private final ContextInternal context;
    private final MqttConnection connection;

    Inbound(ContextInternal context, MqttConnection connection) {
        this.context = context;
        this.connection = connection;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof MqttMessage packet) {
            ContextInternal before = context.beginDispatch();
            try {
                connection.received(packet);
            } catch (RuntimeException e) {
                connection.broken("failed on a packet", e);
            } finally {
                context.endDispatch(before);
                ReferenceCountUtil.release(packet);
            }
        } else if (message instanceof OversizeMessage oversize) {
            connection.oversize(oversize);
        } else if (message instanceof OversizeGuard.OldConnAck) {
            connection.refusedVersion();
        } else {
            ctx.fireChannelRead(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ContextInternal before = context.beginDispatch();
        try {
            connection.endOfRead();
        } catch (RuntimeException e) {
            connection.broken("failed at the end of a read", e);
        } finally {
            context.endDispatch(before);
        }
        ctx.fireChannelReadComplete();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.broken("I/O failed", cause);
    }
}
