package io.plantline.pipeline.dispatch;

import io.plantline.model.Fingerprint;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.model.TopicFilter;
import io.plantline.mqtt.MessageHandler;
import io.plantline.mqtt.ReceivedMessage;
import io.plantline.mqtt.SessionOptions;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionMemory;
import io.plantline.pipeline.Unreleased;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

    private Routing routing;
    /** Rules of filters that go: what the broker still sends for them is not lost. */
    private List<RouteTable.Rule> leaving = List.of();

    private RouteTable routes = new RouteTable(List.of());
    private Set<Integer> identifiers = Set.of();
    private final Set<TopicFilter> refused = new HashSet<>();
    /** By the index that rules have; targets of rules that go are at the end. */
    private List<Destination> targets;

    private final SessionMemory sessions;
    private final List<Lane> filling = new ArrayList<>();
    private final List<Future<Void>> appended = new ArrayList<>();
    private final SentAgain sentAgain = new SentAgain();
    private long unrouted;

    /** Since somebody asked what is stored; null: nobody did. */
    private @Nullable BitSet releasedMeanwhile;

    /** A dispatcher of what {@link #prepare} has made. */
    Dispatcher(SessionMemory sessions) {
        this.sessions = sessions;
        this.routing = new Routing(List.of(), List.of());
        this.targets = List.of();
    }

    /**
     * Where messages go.
     *
     * @param rules whose target is an index into {@code outboxes}
     */
    record Routing(List<RouteTable.Rule> rules, List<Outbox> outboxes) {
        Routing {
            rules = List.copyOf(rules);
            outboxes = List.copyOf(outboxes);
        }
    }

    /** Asks outboxes what they hold, and completes with what {@link #route} takes. */
    Future<Runnable> prepare(Routing next) {
        long generation = sessions.current();
        releasedMeanwhile = new BitSet();
        List<Future<Destination>> made = new ArrayList<>();
        for (Outbox outbox : next.outboxes()) {
            made.add(targets.stream()
                    .filter(target -> target.outbox.equals(outbox))
                    .findFirst()
                    .map(Future::succeededFuture)
                    .orElseGet(() -> outbox.stored(generation).map(stored -> new Destination(outbox, stored))));
        }
        return Future.all(made)
                .map(v -> () -> route(next, made.stream().map(Future::result).toList(), generation));
    }

    /** From the next message on: new rules, and those of filters that the broker is still to forget. */
    private void route(Routing next, List<Destination> destinations, long generation) {
        BitSet released = releasedMeanwhile == null ? new BitSet() : releasedMeanwhile;
        releasedMeanwhile = null;
        List<Destination> all = new ArrayList<>(destinations);
        for (Destination destination : destinations) {
            boolean known = targets.contains(destination);
            if (!known && generation == sessions.current()) {
                released.stream().forEach(destination.stored::remove);
            } else if (!known) {
                destination.stored.clear();
            }
        }
        Set<TopicFilter> stay =
                next.rules().stream().map(RouteTable.Rule::filter).collect(Collectors.toSet());
        List<RouteTable.Rule> go = new ArrayList<>();
        for (RouteTable.Rule rule : both(routing.rules(), leaving)) {
            if (!stay.contains(rule.filter())) {
                Destination destination = targets.get(rule.target());
                if (!all.contains(destination)) {
                    all.add(destination);
                }
                go.add(rule.to(all.indexOf(destination)));
            }
        }
        routing = next;
        leaving = List.copyOf(go);
        targets = List.copyOf(all);
        hear(both(next.rules(), go));
    }

    private static List<RouteTable.Rule> both(List<RouteTable.Rule> some, List<RouteTable.Rule> others) {
        return Stream.concat(some.stream(), others.stream()).toList();
    }

    private void hear(List<RouteTable.Rule> rules) {
        List<RouteTable.Rule> heard = rules.stream()
                .map(rule -> refused.contains(rule.filter()) ? rule.speakingLast() : rule)
                .toList();
        routes = new RouteTable(heard);
        identifiers = heard.stream().map(RouteTable.Rule::identifier).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Future<Void> newSession() {
        targets.forEach(target -> target.stored.clear());
        sentAgain.clear();
        return sessions.next().mapEmpty();
    }

    @Override
    public Set<String> filters() {
        return sessions.filters();
    }

    @Override
    public Future<Void> filters(Set<String> filters) {
        return sessions.filters(filters);
    }

    @Override
    public boolean remembers(int packetId) {
        return sentAgain.contains(packetId) || targets.stream().anyMatch(target -> target.stored.contains(packetId));
    }

    @Override
    public void sentAgain(int packetId, int before) {
        sentAgain.add(packetId, before);
    }

    @Override
    public Future<Void> released(int[] some) {
        int[] packetIds = sentAgain.released(some);
        Identifiers identifiers = new Identifiers(sessions.current(), packetIds);
        List<Future<Void>> released = new ArrayList<>();
        for (Destination target : targets) {
            released.add(target.outbox.release(identifiers));
        }
        for (int packetId : packetIds) {
            targets.forEach(target -> target.stored.remove(packetId));
            if (releasedMeanwhile != null) {
                releasedMeanwhile.set(packetId);
            }
        }
        return Future.all(released).mapEmpty();
    }

    /**
     * A filter that the broker refused, or that another session asks for, must not speak for a target: its copies never
     * come. Nor must one that it grants later, because messages that were queued before have no copy for it.
     */
    @Override
    public void granted(List<SessionOptions.Subscription> subscriptions) {
        Set<TopicFilter> granted =
                subscriptions.stream().map(SessionOptions.Subscription::filter).collect(Collectors.toSet());
        routing.rules().stream()
                .map(RouteTable.Rule::filter)
                .filter(filter -> !granted.contains(filter))
                .forEach(refused::add);
        leaving =
                leaving.stream().filter(rule -> granted.contains(rule.filter())).toList();
        // Also those that this session does not ask for any more: after UNSUBACK a broker may go on to send what it has
        // buffered (MQTT 5.0 section 3.10.4).
        hear(both(routing.rules(), leaving));
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
        sentAgain.isNew(message.packetId());
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
        private final Unreleased stored;

        Destination(Outbox outbox, Unreleased stored) {
            this.outbox = outbox;
            this.stored = stored;
            this.lanes = new Lane[outbox.lanes()];
            for (int i = 0; i < lanes.length; i++) {
                lanes[i] = new Lane(outbox, i);
            }
        }

        void add(String topic, ReceivedMessage message, MessageProperties properties) {
            if (message.qos() == 2 && !stored.isEmpty() && isStored(message)) {
                return;
            }
            lanes[Outbox.laneOf(topic, lanes.length)].add(topic, message, properties);
        }

        private boolean isStored(ReceivedMessage message) {
            int packetId = message.packetId();
            if (message.redelivered() && stored.contains(packetId)) {
                return true;
            }
            int before = stored.packetIdOf(message.fingerprint());
            if (before != 0) {
                sentAgain.add(packetId, before);
                return true;
            }
            // Not sent again: if it is there, the broker has given the identifier to another message.
            stored.remove(packetId);
            return false;
        }
    }

    /** The batch being filled for one lane of one target. */
    private final class Lane {
        private final Outbox outbox;
        private final int number;
        private final MessageBatch.Builder builder = new MessageBatch.Builder(4096);
        private int[] packetIds = new int[16];
        private int packetIdCount;
        private final List<Fingerprint> contents = new ArrayList<>();

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
                remember(message.packetId(), message.fingerprint());
            }
            if (builder.count() >= MAX_COUNT || builder.sizeInBytes() >= MAX_BYTES) {
                seal();
                filling.remove(this);
            }
        }

        private void remember(int packetId, @Nullable Fingerprint content) {
            if (packetIdCount == packetIds.length) {
                packetIds = Arrays.copyOf(packetIds, packetIdCount * 2);
            }
            packetIds[packetIdCount++] = packetId;
            if (content != null) {
                contents.add(content);
            }
        }

        void seal() {
            Identifiers identifiers = packetIdCount == 0
                    ? Identifiers.NONE
                    : new Identifiers(
                            sessions.current(),
                            Arrays.copyOf(packetIds, packetIdCount),
                            // Known of some only: the option came with a reload while the batch was filled.
                            contents.size() == packetIdCount ? contents : List.of());
            packetIdCount = 0;
            contents.clear();
            appended.add(outbox.append(number, builder.build(), identifiers));
        }
    }
}
