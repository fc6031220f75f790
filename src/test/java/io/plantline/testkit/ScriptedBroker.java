package io.plantline.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/** A broker on bare sockets that does what the test tells it, step by step, right or wrong. */
public final class ScriptedBroker implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    private final ServerSocket server;
    private final BlockingQueue<Socket> accepted = new LinkedBlockingQueue<>();
    private final List<Connection> connections = new ArrayList<>();

    private ScriptedBroker(ServerSocket server) {
        this.server = server;
        Thread thread = new Thread(this::acceptAll, "scripted-broker");
        thread.setDaemon(true);
        thread.start();
    }

    public static ScriptedBroker start() {
        return start(1 << 16);
    }

    /** The same with room for so many bytes that it has not read, roughly. */
    public static ScriptedBroker start(int receiveBuffer) {
        try {
            ServerSocket server = new ServerSocket();
            server.setReuseAddress(true);
            server.setReceiveBufferSize(receiveBuffer);
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return new ScriptedBroker(server);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same over TLS, perhaps with a certificate asked of the client. */
    public static ScriptedBroker startTls(SSLContext tls, boolean clientCertificate) {
        try {
            SSLServerSocket server = (SSLServerSocket)
                    tls.getServerSocketFactory().createServerSocket(0, 10, InetAddress.getLoopbackAddress());
            server.setNeedClientAuth(clientCertificate);
            return new ScriptedBroker(server);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return server.getLocalPort();
    }

    private void acceptAll() {
        try {
            while (true) {
                accepted.add(server.accept());
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    /** The next TCP connection, before anything is read from it. */
    public Connection accept() {
        try {
            Socket socket = accepted.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            if (socket == null) {
                throw new AssertionError("nobody connected");
            }
            Connection connection = new Connection(socket);
            connections.add(connection);
            return connection;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Connections that nobody has accepted yet. */
    public int waiting() {
        return accepted.size();
    }

    /** Accepts, answers CONNECT, and grants every subscription as asked. */
    public Connection welcome(boolean sessionPresent) {
        Connection connection = accept().connected(sessionPresent);
        if (!sessionPresent) {
            connection.grantSubscriptions();
        }
        return connection;
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Connection connection : connections) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One connection, from the broker's side. */
    public static final class Connection {
        private final Socket socket;
        private final BufferedInputStream in;
        private int version = 5;
        private Packet connect;

        Connection(Socket socket) {
            try {
                this.socket = socket;
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(PATIENCE_MILLIS);
                this.in = new BufferedInputStream(socket.getInputStream());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        public int version() {
            return version;
        }

        /** The CONNECT packet. */
        public Packet connect() {
            return connect;
        }

        public Connection readConnect() {
            connect = expect(Packet.CONNECT);
            version = connect.body()[6];
            return this;
        }

        public Connection connected(boolean sessionPresent) {
            readConnect();
            return send(Packet.connAck(version, sessionPresent, 0));
        }

        /** Answers the SUBSCRIBE packets that are there until one of them has been silent for a moment. */
        public Connection grantSubscriptions() {
            Packet subscribe = expect(Packet.SUBSCRIBE);
            return send(Packet.subAck(version, subscribe.id(), askedQos(subscribe)));
        }

        /** The QoS of each filter in a SUBSCRIBE packet. */
        public int[] askedQos(Packet subscribe) {
            int at = 2;
            if (version == 5) {
                at += 1 + subscribe.body()[2];
            }
            List<Integer> codes = new ArrayList<>();
            while (at < subscribe.body().length) {
                at += 2 + subscribe.u16(at);
                codes.add(subscribe.body()[at++] & 3);
            }
            return codes.stream().mapToInt(Integer::intValue).toArray();
        }

        public Connection send(Packet packet) {
            return sendBytes(packet.bytes());
        }

        public Connection sendBytes(byte[] bytes) {
            try {
                socket.getOutputStream().write(bytes);
                socket.getOutputStream().flush();
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        public Connection publish(String topic, int qos, int id, boolean dup, String payload) {
            return send(Packet.publish(version, topic, qos, id, dup, false, payload.getBytes()));
        }

        /** The next packet that is no ping; null if the client has closed. */
        public Packet read() {
            try {
                Packet packet = Packet.read(in);
                while (packet != null && packet.type() == Packet.PINGREQ) {
                    send(Packet.pong());
                    packet = Packet.read(in);
                }
                return packet;
            } catch (SocketTimeoutException e) {
                throw new AssertionError("the client sent nothing");
            } catch (IOException e) {
                return null;
            }
        }

        /** The next packet, pings included and not answered. */
        public Packet readRaw() {
            try {
                return Packet.read(in);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /** Whether the client sends something within {@code millis}. */
        public boolean hasPacketWithin(int millis) {
            long end = System.nanoTime() + millis * 1_000_000L;
            try {
                while (in.available() == 0) {
                    if (System.nanoTime() > end) {
                        return false;
                    }
                    java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                }
                return true;
            } catch (IOException e) {
                return false;
            }
        }

        public Packet expect(int type) {
            Packet packet = read();
            if (packet == null || packet.type() != type) {
                throw new AssertionError("expected packet type " + type + ", got "
                        + (packet == null
                                ? "the end"
                                : packet.type() + " " + java.util.Arrays.toString(packet.body())));
            }
            return packet;
        }

        public void expectAck(int type, int id) {
            Packet packet = expect(type);
            if (packet.id() != id) {
                throw new AssertionError("expected an acknowledgement of " + id + ", got one of " + packet.id());
            }
        }

        /** Nothing arrives for {@code millis}, pings apart. */
        public void expectSilence(int millis) {
            try {
                socket.setSoTimeout(millis);
                Packet packet = Packet.read(in);
                while (packet != null && packet.type() == Packet.PINGREQ) {
                    packet = Packet.read(in);
                }
                throw new AssertionError("expected silence, got " + (packet == null ? "the end" : packet.type()));
            } catch (SocketTimeoutException e) {
                // Silence.
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                try {
                    socket.setSoTimeout(PATIENCE_MILLIS);
                } catch (IOException e) {
                    // Closed meanwhile.
                }
            }
        }

        /** Reads to the end; fails if the client does not close. */
        public void expectClosed() {
            Packet packet = read();
            while (packet != null) {
                packet = read();
            }
        }

        /** A reset, as a broken network makes it. */
        public void reset() {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
