package io.plantline.testkit;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** An MQTT control packet, as bytes: the test side's own codec. */
public record Packet(int type, int flags, byte[] body) {
    public static final int CONNECT = 1;
    public static final int CONNACK = 2;
    public static final int PUBLISH = 3;
    public static final int PUBACK = 4;
    public static final int PUBREC = 5;
    public static final int PUBREL = 6;
    public static final int PUBCOMP = 7;
    public static final int SUBSCRIBE = 8;
    public static final int SUBACK = 9;
    public static final int UNSUBSCRIBE = 10;
    public static final int UNSUBACK = 11;
    public static final int PINGREQ = 12;
    public static final int PINGRESP = 13;
    public static final int DISCONNECT = 14;

    /** Reads one packet; null at the end of the stream. */
    public static Packet read(InputStream in) throws IOException {
        int first = in.read();
        if (first < 0) {
            return null;
        }
        int length = 0;
        for (int shift = 0; ; shift += 7) {
            int part = in.read();
            if (part < 0) {
                throw new EOFException();
            }
            length |= (part & 0x7F) << shift;
            if (part < 0x80) {
                break;
            }
        }
        byte[] body = new byte[length];
        new DataInputStream(in).readFully(body);
        return new Packet(first >> 4, first & 15, body);
    }

    public byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 5);
        out.write(type << 4 | flags);
        int rest = body.length;
        do {
            out.write(rest > 127 ? rest & 0x7F | 0x80 : rest);
            rest >>>= 7;
        } while (rest > 0);
        out.writeBytes(body);
        return out.toByteArray();
    }

    public int u16(int at) {
        return (body[at] & 0xFF) << 8 | body[at + 1] & 0xFF;
    }

    /** Packet identifier of everything but PUBLISH. */
    public int id() {
        return u16(0);
    }

    public static Packet ack(int type, int id) {
        return new Packet(type, type == PUBREL ? 2 : 0, new byte[] {(byte) (id >> 8), (byte) id});
    }

    public static Packet ping() {
        return new Packet(PINGREQ, 0, new byte[0]);
    }

    public static Packet pong() {
        return new Packet(PINGRESP, 0, new byte[0]);
    }

    /** CONNACK of either version. */
    public static Packet connAck(int version, boolean sessionPresent, int code) {
        byte present = (byte) (sessionPresent ? 1 : 0);
        return new Packet(
                CONNACK, 0, version == 5 ? new byte[] {present, (byte) code, 0} : new byte[] {present, (byte) code});
    }

    /** SUBACK of either version. */
    public static Packet subAck(int version, int id, int... codes) {
        Body body = new Body().u16(id);
        if (version == 5) {
            body.u8(0);
        }
        for (int code : codes) {
            body.u8(code);
        }
        return body.packet(SUBACK, 0);
    }

    public static Packet unsubAck(int version, int id) {
        Body body = new Body().u16(id);
        if (version == 5) {
            body.u8(0).u8(0);
        }
        return body.packet(UNSUBACK, 0);
    }

    public static Packet publish(
            int version, String topic, int qos, int id, boolean dup, boolean retain, byte[] payload) {
        Body body = new Body().text(topic);
        if (qos > 0) {
            body.u16(id);
        }
        if (version == 5) {
            body.u8(0);
        }
        return body.raw(payload).packet(PUBLISH, (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0));
    }

    /** A PUBLISH taken apart. */
    public record Publish(String topic, int qos, int id, boolean dup, boolean retain, byte[] payload) {}

    public Publish asPublish(int version) {
        int topicLength = u16(0);
        String topic = new String(body, 2, topicLength, StandardCharsets.UTF_8);
        int at = 2 + topicLength;
        int qos = flags >> 1 & 3;
        int id = 0;
        if (qos > 0) {
            id = u16(at);
            at += 2;
        }
        if (version == 5) {
            int length = 0;
            for (int shift = 0; ; shift += 7) {
                int part = body[at++] & 0xFF;
                length |= (part & 0x7F) << shift;
                if (part < 0x80) {
                    break;
                }
            }
            at += length;
        }
        byte[] payload = java.util.Arrays.copyOfRange(body, at, body.length);
        return new Publish(topic, qos, id, (flags & 8) != 0, (flags & 1) != 0, payload);
    }

    /** Builds a body. */
    public static final class Body {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        public Body u8(int value) {
            out.write(value);
            return this;
        }

        public Body u16(int value) {
            out.write(value >> 8);
            out.write(value);
            return this;
        }

        public Body u32(long value) {
            return u16((int) (value >> 16)).u16((int) value);
        }

        public Body text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return u16(bytes.length).raw(bytes);
        }

        public Body raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        public Packet packet(int type, int flags) {
            return new Packet(type, flags, out.toByteArray());
        }
    }
}
