package io.plantline.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Free ports, and waiting for a server. They are below those that connections go out from, which could take one before its server does, and
 * each is given once: a process takes a block of them by listening on its first.
 */
public final class Ports {
    private static final int FIRST = 10_000;
    private static final int BLOCK = 100;
    private static final int BLOCKS = 220;

    /** The first port of each block that is this process's, until it ends. */
    private static final List<ServerSocket> TAKEN = new ArrayList<>();

    private static int block = new Random().nextInt(BLOCKS);
    private static int next = BLOCK;

    private Ports() {}

    public static synchronized int free() {
        for (int tried = 0; tried < BLOCKS * BLOCK; tried++) {
            if (next == BLOCK) {
                takeBlock();
            }
            int port = FIRST + block * BLOCK + next++;
            try (ServerSocket socket = listen(port)) {
                return socket.getLocalPort();
            } catch (IOException e) {
                continue; // Somebody else's.
            }
        }
        throw new IllegalStateException("no port is free");
    }

    private static void takeBlock() {
        for (int tried = 0; tried < BLOCKS; tried++) {
            block = (block + 1) % BLOCKS;
            try {
                TAKEN.add(listen(FIRST + block * BLOCK));
                next = 1;
                return;
            } catch (IOException e) {
                continue; // Another process's.
            }
        }
        throw new IllegalStateException("no ports are free");
    }

    private static ServerSocket listen(int port) throws IOException {
        return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
    }

    /** Returns when something listens; throws if nothing does for ten seconds. */
    public static void awaitListening(int port) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (System.nanoTime() < end) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
                return;
            } catch (IOException e) {
                LockSupport.parkNanos(10_000_000);
            }
        }
        throw new IllegalStateException("nothing listens on port " + port);
    }
}
