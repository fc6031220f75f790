package io.plantline.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** A proxy between an MQTT client and its broker that sees packets, and may keep one from passing. */
public final class MqttFaultProxy implements AutoCloseable {
    private final ServerSocket server;
    private final int upstream;
    private final AtomicInteger connections = new AtomicInteger();
    private volatile Tap tap = (toClient, packet) -> true;

    /** Sees each packet before it passes. */
    @FunctionalInterface
    public interface Tap {
        /** Whether it passes; if not, nothing more passes on its connection. */
        boolean passes(boolean toClient, Packet packet);
    }

    private MqttFaultProxy(int upstream) throws IOException {
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.upstream = upstream;
        daemon(this::acceptAll);
    }

    public static MqttFaultProxy to(int port) {
        try {
            return new MqttFaultProxy(port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Connections so far. */
    public int connections() {
        return connections.get();
    }

    public void tap(Tap next) {
        tap = next;
    }

    private void acceptAll() {
        try {
            while (true) {
                Socket client = server.accept();
                connections.incrementAndGet();
                try {
                    Socket broker = new Socket(InetAddress.getLoopbackAddress(), upstream);
                    client.setTcpNoDelay(true);
                    broker.setTcpNoDelay(true);
                    daemon(() -> pump(client, broker, false));
                    daemon(() -> pump(broker, client, true));
                } catch (IOException e) {
                    client.close();
                }
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void pump(Socket from, Socket to, boolean toClient) {
        try (from;
                to) {
            InputStream in = new BufferedInputStream(from.getInputStream());
            OutputStream out = to.getOutputStream();
            for (Packet packet = Packet.read(in); packet != null; packet = Packet.read(in)) {
                if (!tap.passes(toClient, packet)) {
                    return;
                }
                out.write(packet.bytes());
            }
        } catch (IOException e) {
            // One side is gone.
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "mqtt-fault-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
