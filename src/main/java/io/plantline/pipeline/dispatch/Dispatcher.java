package io.plantline.pipeline.dispatch;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.model.TopicFilter;
import io.plantline.mqtt.MessageHandler;
import io.plantline.mqtt.ReceivedMessage;
import io.plantline.mqtt.SessionOptions;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionGenerations;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts each received message into the batch of every target it is routed to, straight from the network buffer, and
 * seals the batches when the socket is drained or they are full.
 */
final class Dispatcher implements MessageHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
    private static final int MAX_COUNT = 4096;
    private static final int MAX_BYTES = 1 << 20;

    private final List<RouteTable.Rule> rules;
    private RouteTable routes;
    private Set<Integer> identifiers = Set.of();
    private final Set<TopicFilter> refused = new HashSet<>();
    private final List<Destination> targets = new ArrayList<>();
    private final SessionGenerations sessions;
    private final List<Lane> filling = new ArrayList<>();
    private final List<Future<Void>> appended = new ArrayList<>();
    private long unrouted;

    /** A dispatcher; a rule's target is an index into {@code outboxes}. */
    Dispatcher(List<RouteTable.Rule> rules, List<Outbox> outboxes, SessionGenerations sessions) {
        this.sessions = sessions;
        this.rules = List.copyOf(rules);
        this.routes = new RouteTable(rules);
        know(rules);
        for (Outbox outbox : outboxes) {
            targets.add(new Destination(outbox, sessions.current()));
        }
    }

    @Override
    public Future<Void> newSession() {
        targets.forEach(target -> target.stored.clear());
        return sessions.next().mapEmpty();
    }

    @Override
    public boolean remembers(int packetId) {
        return targets.stream().anyMatch(target -> target.stored.get(packetId));
    }

    @Override
    public Future<Void> released(int[] packetIds) {
        Identifiers identifiers = new Identifiers(sessions.current(), packetIds);
        List<Future<Void>> released = new ArrayList<>();
        for (Destination target : targets) {
            for (int packetId : packetIds) {
                target.stored.clear(packetId);
            }
            released.add(target.outbox.release(identifiers));
        }
        return Future.all(released).mapEmpty();
    }

    /**
     * A filter that the broker refused must not speak for a target: its copies never come. Nor must one that it grants
     * later, because messages that were queued before have no copy for it.
     */
    @Override
    public void granted(List<SessionOptions.Subscription> subscriptions) {
        Set<TopicFilter> granted =
                subscriptions.stream().map(SessionOptions.Subscription::filter).collect(Collectors.toSet());
        rules.stream()
                .map(RouteTable.Rule::filter)
                .filter(filter -> !granted.contains(filter))
                .forEach(refused::add);
        List<RouteTable.Rule> heard = rules.stream()
                .filter(rule -> granted.contains(rule.filter()))
                .map(rule -> refused.contains(rule.filter()) ? rule.speakingLast() : rule)
                .toList();
        routes = new RouteTable(heard);
        know(heard);
    }

    private void know(List<RouteTable.Rule> known) {
        identifiers = known.stream().map(RouteTable.Rule::identifier).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public void message(ReceivedMessage message) {
        RouteTable.Route route = routes.resolve(message.topic());
        int[] targetsOfRoute = route.targets();
        if (targetsOfRoute.length == 0) {
            unrouted(message);
            return;
        }
        int[] copies = message.subscriptionIdentifiers();
        MessageProperties properties = message.properties();
        for (int i = 0; i < targetsOfRoute.length; i++) {
            if (isFor(route.identifiers()[i], copies)) {
                targets.get(targetsOfRoute[i]).add(route.topic(), message, properties);
            }
        }
    }

    /**
     * Whether a copy with these identifiers is for the target that {@code speaker} speaks for. One we do not know was
     * made by an older configuration: it suppresses nothing.
     */
    private boolean isFor(int speaker, int[] copies) {
        if (copies.length == 0 || speaker == 0) {
            return true;
        }
        for (int copy : copies) {
            if (copy == speaker || !identifiers.contains(copy)) {
                return true;
            }
        }
        return false;
    }

    private void unrouted(ReceivedMessage message) {
        unrouted++;
        if (Long.bitCount(unrouted) == 1) {
            LOG.warn(
                    "{} messages so far match no subscription of this configuration, the last one on {}: the broker"
                            + " still holds a subscription of an older one",
                    unrouted,
                    message.topic());
        }
    }

    @Override
    public Future<Void> endOfRead() {
        for (Lane lane : filling) {
            lane.seal();
        }
        filling.clear();
        Future<Void> all = appended.isEmpty()
                ? Future.succeededFuture()
                : appended.size() == 1
                        ? appended.get(0)
                        : Future.all(List.copyOf(appended)).mapEmpty();
        appended.clear();
        return all;
    }

    /** One target. */
    private final class Destination {
        private final Outbox outbox;
        private final Lane[] lanes;

        /** QoS 2 messages that an earlier start has stored here: a copy of them is not stored again. */
        private final BitSet stored;

        Destination(Outbox outbox, long generation) {
            this.outbox = outbox;
            this.stored = outbox.stored(generation);
            this.lanes = new Lane[outbox.lanes()];
            for (int i = 0; i < lanes.length; i++) {
                lanes[i] = new Lane(outbox, i);
            }
        }

        void add(String topic, ReceivedMessage message, MessageProperties properties) {
            boolean known = message.qos() == 2 && stored.get(message.packetId());
            if (known && message.redelivered()) {
                return;
            }
            if (known) {
                // Not sent again, so the broker has given the identifier to another message.
                stored.clear(message.packetId());
            }
            lanes[Outbox.laneOf(topic, lanes.length)].add(topic, message, properties);
        }
    }

    /** The batch being filled for one lane of one target. */
    private final class Lane {
        private final Outbox outbox;
        private final int number;
        private final MessageBatch.Builder builder = new MessageBatch.Builder(4096);
        private int[] packetIds = new int[16];
        private int packetIdCount;

        Lane(Outbox outbox, int number) {
            this.outbox = outbox;
            this.number = number;
        }

        void add(String topic, ReceivedMessage message, MessageProperties properties) {
            if (builder.count() == 0) {
                filling.add(this);
            }
            builder.add(
                    topic,
                    message.qos(),
                    message.retained(),
                    message.redelivered(),
                    message.receivedAtMicros(),
                    properties,
                    message.payloadLength(),
                    message);
            if (message.qos() == 2) {
                remember(message.packetId());
            }
            if (builder.count() >= MAX_COUNT || builder.sizeInBytes() >= MAX_BYTES) {
                seal();
                filling.remove(this);
            }
        }

        private void remember(int packetId) {
            if (packetIdCount == packetIds.length) {
                packetIds = Arrays.copyOf(packetIds, packetIdCount * 2);
            }
            packetIds[packetIdCount++] = packetId;
        }

        void seal() {
            Identifiers identifiers = packetIdCount == 0
                    ? Identifiers.NONE
                    : new Identifiers(sessions.current(), Arrays.copyOf(packetIds, packetIdCount));
            packetIdCount = 0;
            appended.add(outbox.append(number, builder.build(), identifiers));
        }
    }
}
