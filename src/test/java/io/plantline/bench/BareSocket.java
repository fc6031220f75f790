package io.plantline.bench;

import io.plantline.testkit.WireClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;

/**
 * The floor: a bare socket that finds packet boundaries, acknowledges, and throws everything away. No
 * decoding, no routing, no target.
 */
final class BareSocket {
    private BareSocket() {}

    /** The process itself. */
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        while (true) {
            try (WireClient hello = WireClient.connect(port, "discard", 4, false)) {
                hello.subscribe("bench/#", 1);
                hello.drain(BareSocket::loop);
            } catch (IOException e) {
                // Connected again below: the backlog gathered longer than the keep-alive allows.
            }
        }
    }

    private static void loop(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream();
        byte[] buffer = new byte[1 << 16];
        byte[] acks = new byte[1 << 16];
        int have = 0;
        while (true) {
            int read = in.read(buffer, have, buffer.length - have);
            if (read < 0) {
                return;
            }
            have += read;
            int at = 0;
            int due = 0;
            while (have - at >= 5) {
                int length = 0;
                int header = 1;
                for (int shift = 0; ; shift += 7) {
                    int part = buffer[at + header++] & 0xFF;
                    length |= (part & 0x7F) << shift;
                    if (part < 0x80) {
                        break;
                    }
                }
                if (have - at < header + length) {
                    break;
                }
                if ((buffer[at] & 0xF6) == 0x32) {
                    int topic = (buffer[at + header] & 0xFF) << 8 | (buffer[at + header + 1] & 0xFF);
                    acks[due++] = 0x40;
                    acks[due++] = 2;
                    acks[due++] = buffer[at + header + 2 + topic];
                    acks[due++] = buffer[at + header + 3 + topic];
                }
                at += header + length;
            }
            System.arraycopy(buffer, at, buffer, 0, have - at);
            have -= at;
            if (due > 0) {
                out.write(acks, 0, due);
            }
        }
    }
}
