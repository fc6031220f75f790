package io.plantline.testkit;

import java.io.IOException;
import java.util.function.Consumer;

/** Subscribes and tallies what arrives, acknowledging at once. */
public final class Collector implements AutoCloseable {
    private final WireClient client;
    private final Tally tally = new Tally();
    private final Thread thread;
    private volatile Consumer<Packet.Publish> also = publish -> {};

    public Collector(int port, String filter, int qos) throws IOException {
        this(port, filter, qos, null, null);
    }

    public Collector(int port, String filter, int qos, String user, String password) throws IOException {
        client = WireClient.connect(port, "collector-" + System.nanoTime(), 4, true, user, password);
        client.subscribe(filter, qos);
        thread = new Thread(this::run, "collector");
        thread.setDaemon(true);
        thread.start();
    }

    public Tally tally() {
        return tally;
    }

    public Collector also(Consumer<Packet.Publish> consumer) {
        also = consumer;
        return this;
    }

    private void run() {
        try {
            for (Packet packet = client.read(); packet != null; packet = client.read()) {
                if (packet.type() == Packet.PUBLISH) {
                    Packet.Publish publish = packet.asPublish(4);
                    tally.add(publish.payload());
                    also.accept(publish);
                    if (publish.qos() > 0) {
                        client.write(Packet.ack(publish.qos() == 1 ? Packet.PUBACK : Packet.PUBREC, publish.id()));
                    }
                } else if (packet.type() == Packet.PUBREL) {
                    client.write(Packet.ack(Packet.PUBCOMP, packet.id()));
                }
                if (!client.hasBuffered()) {
                    client.flush();
                }
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
