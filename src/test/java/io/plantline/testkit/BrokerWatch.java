package io.plantline.testkit;

import java.util.HashMap;
import java.util.Map;

/**
 * Sees what a broker sends at QoS 2, and counts the messages that it sends as if they were new although they were sent
 * before: without DUP or under another identifier (against MQTT-3.3.1-1 and MQTT-4.4.0-1), or after our PUBCOMP. A receiver
 * cannot know that they are not new.
 */
public final class BrokerWatch implements MqttFaultProxy.Tap {
    private final MqttFaultProxy.Tap then;
    private final Counts counts;

    private static final class Counts {
        private final Map<Long, Integer> identifiers = new HashMap<>();
        private final Map<Integer, Long> messages = new HashMap<>();
        private long sentAnew;
    }

    private BrokerWatch(MqttFaultProxy.Tap then, Counts counts) {
        this.then = then;
        this.counts = counts;
    }

    /** Lets everything pass. */
    public static BrokerWatch start() {
        return new BrokerWatch((toClient, packet) -> true, new Counts());
    }

    /** The same watch, with somebody else who decides what passes. */
    public BrokerWatch and(MqttFaultProxy.Tap decides) {
        return new BrokerWatch(decides, counts);
    }

    /** Messages that were sent anew, each time counted. */
    public long sentAnew() {
        synchronized (counts) {
            return counts.sentAnew;
        }
    }

    @Override
    public boolean passes(boolean toClient, Packet packet) {
        if (toClient && packet.type() == Packet.PUBLISH) {
            Packet.Publish publish = packet.asPublish(5);
            if (publish.qos() == 2) {
                see(publish);
            }
        } else if (!toClient && packet.type() == Packet.PUBCOMP) {
            synchronized (counts) {
                Long message = counts.messages.remove(packet.id());
                if (message != null) {
                    // It is done: whatever identifier it comes with now is a new one.
                    counts.identifiers.put(message, 0);
                }
            }
        }
        return then.passes(toClient, packet);
    }

    private void see(Packet.Publish publish) {
        Stamp stamp = Stamp.of(publish.payload());
        long message = (long) stamp.topic() << 32 | stamp.sequence();
        synchronized (counts) {
            Integer before = counts.identifiers.put(message, publish.id());
            if (before != null && (before != publish.id() || !publish.dup())) {
                counts.sentAnew++;
            }
            counts.messages.put(publish.id(), message);
        }
    }
}
