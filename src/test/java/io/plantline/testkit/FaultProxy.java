package io.plantline.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A TCP proxy that misbehaves as networks do: it delays, slows, slices, stalls and resets. */
public final class FaultProxy implements AutoCloseable {
    private final ServerSocket server;
    private final int upstream;
    private final List<Pair> pairs = new CopyOnWriteArrayList<>();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile long latencyNanos;
    private volatile int bytesPerSecond;
    private volatile int sliceBytes = 1 << 16;

    private record Pair(Socket client, Socket broker) {
        void reset() {
            try {
                client.setSoLinger(true, 0);
                client.close();
                broker.setSoLinger(true, 0);
                broker.close();
            } catch (IOException e) {
                // Closed already.
            }
        }
    }

    private FaultProxy(ServerSocket server, int upstream) {
        this.server = server;
        this.upstream = upstream;
        daemon(this::acceptAll);
    }

    public static FaultProxy to(int port) {
        return on(0, port);
    }

    /** On a port that has had no listener until now. */
    public static FaultProxy on(int listen, int port) {
        try {
            return new FaultProxy(new ServerSocket(listen, 50, InetAddress.getLoopbackAddress()), port);
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

    /** Each read waits this long before it goes on. */
    public FaultProxy latency(int millis) {
        latencyNanos = millis * 1_000_000L;
        return this;
    }

    public FaultProxy bandwidth(int bytes) {
        bytesPerSecond = bytes;
        return this;
    }

    /** No write is longer than this. */
    public FaultProxy slices(int bytes) {
        sliceBytes = bytes;
        return this;
    }

    /** The peers of all connections there are vanish: nothing passes any more, and nothing is closed. */
    public void vanish() {
        pairs.forEach(pair -> vanished.add(pair.client()));
    }

    private final List<Socket> vanished = new CopyOnWriteArrayList<>();

    public void resetAll() {
        pairs.forEach(Pair::reset);
        pairs.clear();
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
                    Pair pair = new Pair(client, broker);
                    pairs.add(pair);
                    daemon(() -> pump(pair, client, broker));
                    daemon(() -> pump(pair, broker, client));
                } catch (IOException e) {
                    client.close();
                }
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void pump(Pair pair, Socket from, Socket to) {
        byte[] buffer = new byte[1 << 14];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (vanished.contains(pair.client())) {
                    continue;
                }
                if (latencyNanos > 0) {
                    LockSupport.parkNanos(latencyNanos);
                }
                for (int at = 0; at < read; at += sliceBytes) {
                    int length = Math.min(sliceBytes, read - at);
                    out.write(buffer, at, length);
                    out.flush();
                }
                if (bytesPerSecond > 0) {
                    LockSupport.parkNanos(read * 1_000_000_000L / bytesPerSecond);
                }
            }
        } catch (IOException e) {
            // One side is gone.
        }
        if (!vanished.contains(pair.client())) {
            close(from);
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed already.
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "fault-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        resetAll();
    }
}
