package io.plantline.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** A blocking MQTT client on a bare socket, for generators and verifiers. */
public final class WireClient implements AutoCloseable {
    private final Socket socket;
    private final BufferedInputStream in;
    private final OutputStream out;
    private final int version;
    private boolean sessionPresent;
    private int nextId = 1;

    private WireClient(Socket socket, int version) throws IOException {
        this.socket = socket;
        this.version = version;
        this.in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        this.out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
    }

    public static WireClient connect(int port, String clientId, int version, boolean clean) throws IOException {
        return connect(port, clientId, version, clean, null, null);
    }

    public static WireClient connect(
            int port, String clientId, int version, boolean clean, String user, String password) throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
        WireClient client = new WireClient(socket, version);
        int flags = (clean ? 2 : 0) | (user != null ? 0x80 : 0) | (password != null ? 0x40 : 0);
        Packet.Body body = new Packet.Body().text("MQTT").u8(version).u8(flags).u16(0);
        if (version == 5) {
            if (clean) {
                body.u8(0);
            } else {
                body.u8(5).u8(17).u32(86_400);
            }
        }
        body.text(clientId);
        if (user != null) {
            body.text(user);
        }
        if (password != null) {
            body.text(password);
        }
        client.write(body.packet(Packet.CONNECT, 0));
        client.flush();
        Packet ack = client.read();
        if (ack == null || ack.type() != Packet.CONNACK || ack.body()[1] != 0) {
            socket.close();
            throw new IOException("refused: " + (ack == null ? "closed" : "code " + ack.body()[1]));
        }
        client.sessionPresent = (ack.body()[0] & 1) != 0;
        return client;
    }

    public boolean sessionPresent() {
        return sessionPresent;
    }

    public int version() {
        return version;
    }

    public int nextId() {
        int id = nextId;
        nextId = nextId == 65_535 ? 1 : nextId + 1;
        return id;
    }

    public void write(Packet packet) throws IOException {
        out.write(packet.bytes());
    }

    public void flush() throws IOException {
        out.flush();
    }

    public void send(Packet packet) throws IOException {
        write(packet);
        flush();
    }

    /** The next packet; null when the broker has closed. */
    public Packet read() throws IOException {
        return Packet.read(in);
    }

    public boolean hasBuffered() throws IOException {
        return in.available() > 0;
    }

    public void timeout(int millis) throws IOException {
        socket.setSoTimeout(millis);
    }

    /** Subscribes and waits for SUBACK: nothing counts before it. */
    public int subscribe(String filter, int qos) throws IOException {
        Packet.Body body = new Packet.Body().u16(nextId());
        if (version == 5) {
            body.u8(0);
        }
        send(body.text(filter).u8(qos).packet(Packet.SUBSCRIBE, 2));
        while (true) {
            Packet packet = read();
            if (packet == null) {
                throw new IOException("closed before SUBACK");
            }
            if (packet.type() == Packet.SUBACK) {
                return packet.body()[packet.body().length - 1] & 0xFF;
            }
        }
    }

    /** Publishes one message and waits until the broker has it. */
    public void publish(String topic, int qos, boolean retain, byte[] payload) throws IOException {
        int id = qos > 0 ? nextId() : 0;
        send(Packet.publish(version, topic, qos, id, false, retain, payload));
        if (qos == 1) {
            await(Packet.PUBACK, id);
        } else if (qos == 2) {
            await(Packet.PUBREC, id);
            send(Packet.ack(Packet.PUBREL, id));
            await(Packet.PUBCOMP, id);
        }
    }

    private void await(int type, int id) throws IOException {
        Packet packet = read();
        while (packet != null && !(packet.type() == type && packet.id() == id)) {
            packet = read();
        }
        if (packet == null) {
            throw new IOException("closed before type " + type);
        }
    }

    /** Gives the bare socket away; what this client has buffered is lost. */
    public void drain(Drain drain) throws IOException {
        drain.run(socket);
    }

    /** Works on a bare socket. */
    public interface Drain {
        void run(Socket socket) throws IOException;
    }

    public void disconnect() throws IOException {
        send(new Packet(Packet.DISCONNECT, 0, new byte[0]));
        close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
