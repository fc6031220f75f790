package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/** Publishes stamped messages with a window, and knows which of them the broker has confirmed. */
public final class Generator {
    private final int port;
    private final IntFunction<String> topics;
    private final int topicCount;
    private final int qos;
    private final int size;
    private int firstTopic;
    private String user;
    private String password;

    public Generator(int port, int topicCount, IntFunction<String> topics, int qos, int size) {
        this.port = port;
        this.topics = topics;
        this.topicCount = topicCount;
        this.qos = qos;
        this.size = size;
    }

    /** With a user name and a password. */
    public Generator as(String name, String secret) {
        user = name;
        password = secret;
        return this;
    }

    /** Counts topics from {@code first} on, in their stamps and for their names. */
    public Generator topicsFrom(int first) {
        firstTopic = first;
        return this;
    }

    /** Publishes {@code count} messages, numbered from {@code from} per topic; returns when all are confirmed. */
    public void publish(int count, int from, int window) throws IOException {
        publish(count, from, window, 0);
    }

    /**
     * Publishes a second's messages again and again.
     *
     * @param goOn asked every second
     * @return messages per topic
     */
    public int publishWhile(BooleanSupplier goOn, int window, int perSecond) {
        if (perSecond % topicCount != 0) {
            throw new IllegalArgumentException(perSecond + " a second cannot be as many for each of " + topicCount);
        }
        int perTopic = 0;
        try {
            while (goOn.getAsBoolean()) {
                publish(perSecond, perTopic, window, perSecond);
                perTopic += perSecond / topicCount;
            }
            return perTopic;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same, with at most {@code perSecond} messages a second (0: as fast as it goes). */
    public void publish(int count, int from, int window, int perSecond) throws IOException {
        try (WireClient client = WireClient.connect(port, "generator-" + System.nanoTime(), 4, true, user, password)) {
            Map<Integer, Boolean> inFlight = new HashMap<>();
            int[] sequence = new int[topicCount];
            java.util.Arrays.fill(sequence, from);
            ArrayDeque<Packet> due = new ArrayDeque<>();
            long start = System.nanoTime();
            int sent = 0;
            while (sent < count || !inFlight.isEmpty()) {
                boolean wrote = false;
                while (sent < count && inFlight.size() < window && isDue(start, sent, perSecond)) {
                    int topic = sent % topicCount;
                    int id = qos > 0 ? client.nextId() : 0;
                    byte[] payload = new Stamp(firstTopic + topic, sequence[topic]++, System.nanoTime()).payload(size);
                    client.write(Packet.publish(4, topics.apply(firstTopic + topic), qos, id, false, false, payload));
                    if (qos > 0) {
                        inFlight.put(id, true);
                    }
                    sent++;
                    wrote = true;
                }
                if (wrote) {
                    client.flush();
                }
                if (!inFlight.isEmpty() && (inFlight.size() >= window || sent == count || client.hasBuffered())) {
                    confirm(client, inFlight, due);
                } else if (!wrote) {
                    java.util.concurrent.locks.LockSupport.parkNanos(100_000);
                }
            }
            client.disconnect();
        }
    }

    private static boolean isDue(long start, int sent, int perSecond) {
        return perSecond == 0 || System.nanoTime() - start >= sent * 1_000_000_000L / perSecond;
    }

    private void confirm(WireClient client, Map<Integer, Boolean> inFlight, ArrayDeque<Packet> due) throws IOException {
        do {
            Packet packet = client.read();
            if (packet == null) {
                throw new IOException("the broker closed with " + inFlight.size() + " unconfirmed");
            }
            if (packet.type() == Packet.PUBACK || packet.type() == Packet.PUBCOMP) {
                inFlight.remove(packet.id());
            } else if (packet.type() == Packet.PUBREC) {
                due.add(Packet.ack(Packet.PUBREL, packet.id()));
            }
        } while (client.hasBuffered());
        boolean any = !due.isEmpty();
        while (!due.isEmpty()) {
            client.write(due.poll());
        }
        if (any) {
            client.flush();
        }
    }
}
