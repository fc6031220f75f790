package io.plantline.pipeline.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Subscription;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.TopicFilter;
import io.plantline.mqtt.SessionOptions;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.SessionMemory;
import io.plantline.pipeline.Unreleased;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.ScriptedBroker.Connection;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From packets to batches, with a scripted broker in front and fake outboxes behind. */
class DispatcherVerticleTest {
    private final Vertx vertx = Vertx.vertx();
    private ScriptedBroker broker;
    private DispatcherVerticle verticle;
    private boolean uniquePayloads;

    @BeforeEach
    void start() {
        broker = ScriptedBroker.start();
    }

    @AfterEach
    void stop() {
        broker.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** Keeps what it gets until it is told that it is safe. */
    private static final class FakeOutbox implements Outbox {
        private final List<String> messages = new CopyOnWriteArrayList<>();
        private final List<Integer> batches = new CopyOnWriteArrayList<>();
        private final List<Promise<Void>> promises = new CopyOnWriteArrayList<>();
        private final List<Integer> released = new CopyOnWriteArrayList<>();
        private final Unreleased stored = new Unreleased();

        @Override
        public Future<Unreleased> stored(long generation) {
            return Future.succeededFuture(stored.copy());
        }

        @Override
        public Future<Void> release(Identifiers identifiers) {
            Arrays.stream(identifiers.packetIds()).forEach(released::add);
            return Future.succeededFuture();
        }

        @Override
        public int lanes() {
            return 1;
        }

        @Override
        public Future<Void> append(int lane, MessageBatch batch, Identifiers identifiers) {
            MessageCursor message = batch.cursor();
            while (message.next()) {
                messages.add(message.topic() + "=" + new String(message.payload()));
            }
            batches.add(batch.count());
            stored.add(identifiers);
            // Completes on the caller's context, as the contract says.
            Promise<Void> promise = ContextInternal.current().promise();
            promises.add(promise);
            return promise.future();
        }

        void safe() {
            promises.forEach(Promise::tryComplete);
        }
    }

    private void deploy(Map<String, Outbox> outboxes, Subscription... subscriptions) {
        verticle = new DispatcherVerticle(wish(outboxes, subscriptions), SessionMemory.inMemory());
        vertx.deployVerticle(verticle).toCompletionStage().toCompletableFuture().join();
    }

    private DispatcherVerticle.Wish wish(Map<String, Outbox> outboxes, Subscription... subscriptions) {
        return wish(outboxes, List.of(subscriptions), List.of(subscriptions));
    }

    private DispatcherVerticle.Wish wish(
            Map<String, Outbox> outboxes, List<Subscription> subscriptions, List<Subscription> asks) {
        return new DispatcherVerticle.Wish(
                asked -> new SessionOptions(
                        List.of(new SessionOptions.Address("127.0.0.1", broker.port())),
                        5,
                        "dispatcher",
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(5),
                        Duration.ofHours(1),
                        Duration.ofMillis(1),
                        Duration.ofMillis(20),
                        65_535,
                        1 << 20,
                        1 << 20,
                        uniquePayloads,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        asked),
                subscriptions,
                asks,
                outboxes,
                refresh -> Future.succeededFuture(Optional.empty()));
    }

    private static Subscription subscription(String filter, String target) {
        return new Subscription(TopicFilter.of(filter), 1, List.of(target));
    }

    /** Answers the SUBSCRIBE packets, and returns the identifier of each filter as it was sent. */
    private static Map<String, byte[]> subscribed(Connection connection, int count, Map<String, Integer> codes) {
        Map<String, byte[]> identifiers = new HashMap<>();
        for (int i = 0; i < count; i++) {
            Packet subscribe = connection.expect(Packet.SUBSCRIBE);
            int properties = subscribe.body()[2];
            byte[] identifier = Arrays.copyOfRange(subscribe.body(), 4, 3 + properties);
            int at = 3 + properties;
            String filter = new String(subscribe.body(), at + 2, subscribe.u16(at));
            identifiers.put(filter, identifier);
            connection.send(Packet.subAck(5, subscribe.id(), codes.getOrDefault(filter, 1)));
        }
        return identifiers;
    }

    private static void publish(Connection connection, int id, String topic, String payload, byte[] identifier) {
        connection.send(new Packet.Body()
                .text(topic)
                .u16(id)
                .u8(1 + identifier.length)
                .u8(11)
                .raw(identifier)
                .raw(payload.getBytes())
                .packet(Packet.PUBLISH, 2));
    }

    @Test
    void copiesForOverlappingFiltersReachATargetOnce() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"), subscription("a/+", "t"));
        Connection connection = broker.accept().connected(false);
        Map<String, byte[]> identifiers = subscribed(connection, 2, Map.of());
        publish(connection, 1, "a/b", "x", identifiers.get("a/#"));
        publish(connection, 2, "a/b", "x", identifiers.get("a/+"));
        await().until(() -> !outbox.messages.isEmpty());
        outbox.safe();
        connection.expectAck(Packet.PUBACK, 1);
        connection.expectAck(Packet.PUBACK, 2);
        assertThat(outbox.messages).containsExactly("a/b=x");
    }

    @Test
    void messagesOfAFilterThatGoesReachTheirTargetUntilTheBrokerHasForgottenIt() {
        FakeOutbox before = new FakeOutbox();
        FakeOutbox after = new FakeOutbox();
        deploy(Map.of("t", before), subscription("a", "t"), subscription("b", "t"));
        Connection connection = broker.accept().connected(false).grantSubscriptions();
        Future<Void> changed =
                verticle.change(wish(Map.of("t", after), subscription("b", "t"), subscription("c", "t")), false);
        Packet subscribe = connection.expect(Packet.SUBSCRIBE);
        connection.publish("a", 1, 1, false, "1");
        connection.publish("b", 1, 2, false, "2");
        connection.publish("c", 1, 3, false, "3");
        connection.send(Packet.subAck(5, subscribe.id(), 1));
        Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
        connection.publish("a", 1, 4, false, "4");
        connection.send(Packet.unsubAck(5, unsubscribe.id()));
        await().until(changed::succeeded);
        assertThat(before.messages).containsExactly("a=1", "a=4");
        assertThat(after.messages).containsExactly("b=2", "c=3");
    }

    @Test
    void whatTheBrokerHadBufferedForAFilterThatMovedReachesItsTargetAfterUnsubackToo() {
        FakeOutbox outbox = new FakeOutbox();
        Subscription stays = subscription("a", "t");
        Subscription moves = subscription("b", "t");
        deploy(Map.of("t", outbox), stays, moves);
        Connection connection = broker.accept().connected(false).grantSubscriptions();
        Future<Void> changed = verticle.change(wish(Map.of("t", outbox), List.of(stays, moves), List.of(stays)), false);
        Packet unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
        connection.send(Packet.unsubAck(5, unsubscribe.id()));
        await().until(changed::succeeded);
        connection.publish("b", 1, 1, false, "late");
        await().until(() -> outbox.messages.equals(List.of("b=late")));
        outbox.safe();
        connection.expectAck(Packet.PUBACK, 1);

        Future<Void> retired =
                verticle.retire(wish(Map.of("t", outbox), stays).options().apply(List.of()), Duration.ofSeconds(10));
        unsubscribe = connection.expect(Packet.UNSUBSCRIBE);
        connection.send(Packet.unsubAck(5, unsubscribe.id()));
        connection.publish("a", 1, 2, false, "later");
        await().until(() -> outbox.messages.equals(List.of("b=late", "a=later")));
        outbox.safe();
        await().until(retired::succeeded);
    }

    @Test
    void anIdentifierOfAnOlderConfigurationSuppressesNothing() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"), subscription("a/+", "t"));
        Connection connection = broker.accept().connected(true);
        subscribed(connection, 2, Map.of());
        publish(connection, 1, "a/b", "old", new byte[] {7});
        await().until(() -> outbox.messages.contains("a/b=old"));
    }

    /** What the broker queued before a filter was added has no copy for it: it must not wait for one. */
    @Test
    void anAddedFilterSuppressesNothingThatWasQueuedBefore() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox, "other", outbox), subscription("a/#", "t"), subscription("a/b", "other"));
        byte[] before =
                subscribed(broker.accept().connected(false), 2, Map.of()).get("a/#");
        vertx.deploymentIDs()
                .forEach(id -> vertx.undeploy(id)
                        .toCompletionStage()
                        .toCompletableFuture()
                        .join());
        deploy(
                Map.of("t", outbox, "other", outbox),
                new Subscription(TopicFilter.of("a/+"), 2, List.of("t")),
                subscription("a/#", "t"),
                subscription("a/b", "other"));
        Connection connection = broker.accept().connected(true);
        publish(connection, 1, "a/c", "queued", before);
        subscribed(connection, 3, Map.of());
        await().until(() -> outbox.messages.contains("a/c=queued"));
    }

    /** Messages that were queued while a filter was refused have no copy for it. */
    @Test
    void aFilterThatIsGrantedLaterDoesNotSpeakForATarget() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"), new Subscription(TopicFilter.of("a/+"), 2, List.of("t")));
        Connection first = broker.accept().connected(false);
        subscribed(first, 2, Map.of("a/+", 0x87));
        first.close();
        Connection second = broker.accept().connected(false);
        Map<String, byte[]> identifiers = subscribed(second, 2, Map.of());
        publish(second, 1, "a/b", "queued", identifiers.get("a/#"));
        await().until(() -> outbox.messages.contains("a/b=queued"));
    }

    @Test
    void aRefusedFilterDoesNotSpeakForATarget() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"), subscription("a/+", "t"));
        Connection connection = broker.accept().connected(false);
        Map<String, byte[]> identifiers = subscribed(connection, 2, Map.of("a/#", 0x87));
        publish(connection, 1, "a/b", "x", identifiers.get("a/+"));
        await().until(() -> outbox.messages.contains("a/b=x"));
    }

    @Test
    void aMessageForTwoTargetsIsAcknowledgedWhenBothHaveIt() {
        FakeOutbox one = new FakeOutbox();
        FakeOutbox two = new FakeOutbox();
        deploy(Map.of("one", one, "two", two), subscription("a/#", "one"), subscription("a/b", "two"));
        Connection connection = broker.accept().connected(false);
        Map<String, byte[]> identifiers = subscribed(connection, 2, Map.of());
        publish(connection, 1, "a/b", "x", identifiers.get("a/#"));
        await().until(() -> one.messages.size() == 1);
        publish(connection, 2, "a/b", "x", identifiers.get("a/b"));
        await().until(() -> two.messages.size() == 1);
        two.safe();
        connection.expectSilence(100);
        one.safe();
        connection.expectAck(Packet.PUBACK, 1);
        connection.expectAck(Packet.PUBACK, 2);
        assertThat(one.messages).hasSize(1);
        assertThat(two.messages).hasSize(1);
    }

    @Test
    void aSubscriptionFeedsSeveralTargetsAndIsSafeWhenAllHaveIt() {
        FakeOutbox one = new FakeOutbox();
        FakeOutbox two = new FakeOutbox();
        deploy(Map.of("one", one, "two", two), new Subscription(TopicFilter.of("a/#"), 1, List.of("one", "two")));
        Connection connection = broker.welcome(false);
        connection.publish("a/b", 1, 1, false, "x");
        await().until(() -> one.messages.size() == 1 && two.messages.size() == 1);
        one.safe();
        connection.expectSilence(100);
        two.safe();
        connection.expectAck(Packet.PUBACK, 1);
    }

    private static final Subscription ONCE = new Subscription(TopicFilter.of("a/#"), 2, List.of("t"));

    /** A process that stored these messages and ended before it could answer; the broker has their session. */
    private FakeOutbox storedBefore(String... payloads) {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), ONCE);
        Connection connection = broker.welcome(false);
        for (int i = 0; i < payloads.length; i++) {
            connection.publish("a/b", 2, i + 1, false, payloads[i]);
        }
        await().until(() -> outbox.messages.size() == payloads.length);
        connection.close();
        broker.close();
        broker = ScriptedBroker.start();
        FakeOutbox recovered = new FakeOutbox();
        recovered.stored.addAll(outbox.stored);
        deploy(Map.of("t", recovered), ONCE);
        return recovered;
    }

    @Test
    void whatAnEarlierStartHasStoredIsNotStoredAgain() {
        FakeOutbox outbox = storedBefore("x", "y");
        Connection connection = broker.accept().connected(true).grantSubscriptions();
        connection.publish("a/b", 2, 1, true, "x");
        connection.expectAck(Packet.PUBREC, 1);
        connection.send(Packet.ack(Packet.PUBREL, 1));
        connection.expectAck(Packet.PUBCOMP, 1);
        assertThat(outbox.released).containsExactly(1);
        connection.publish("a/b", 2, 2, false, "another");
        await().until(() -> !outbox.messages.isEmpty());
        assertThat(outbox.messages).containsExactly("a/b=another");
    }

    @Test
    void whatAnEarlierStartHasStoredIsKnownByItsPayloadUnderAnotherIdentifier() {
        uniquePayloads = true;
        FakeOutbox outbox = storedBefore("x", "y");
        Connection connection = broker.accept().connected(true).grantSubscriptions();
        connection.publish("a/b", 2, 7, false, "x");
        connection.expectAck(Packet.PUBREC, 7);
        connection.reset();
        connection = broker.accept().connected(true);
        connection.publish("a/b", 2, 8, false, "x");
        connection.expectAck(Packet.PUBREC, 8);
        connection.publish("a/b", 2, 9, false, "new").publish("a/other", 2, 10, false, "y");
        await().until(() -> outbox.messages.size() == 2);
        assertThat(outbox.messages).containsExactly("a/b=new", "a/other=y");
        outbox.safe();
        connection.expectAck(Packet.PUBREC, 9);
        connection.expectAck(Packet.PUBREC, 10);
        connection.send(Packet.ack(Packet.PUBREL, 8));
        connection.expectAck(Packet.PUBCOMP, 8);
        assertThat(outbox.released)
                .as("with the last identifier all that the message has had")
                .containsExactly(8, 7, 1);
    }

    @Test
    void oneReadOfTheSocketIsOneBatch() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"));
        Connection connection = broker.welcome(false);
        java.io.ByteArrayOutputStream burst = new java.io.ByteArrayOutputStream();
        for (int id = 1; id <= 200; id++) {
            burst.writeBytes(Packet.publish(5, "a/" + id % 7, 1, id, false, false, ("m" + id).getBytes())
                    .bytes());
        }
        connection.sendBytes(burst.toByteArray());
        await().until(() -> outbox.messages.size() == 200);
        assertThat(outbox.batches.size())
                .as("batches, not messages, cross the pipeline")
                .isLessThan(20);
    }

    @Test
    void aMessageThatNobodyWantsAnyMoreIsAcknowledged() {
        FakeOutbox outbox = new FakeOutbox();
        deploy(Map.of("t", outbox), subscription("a/#", "t"));
        Connection connection = broker.welcome(false);
        connection.publish("old/topic", 1, 9, false, "x");
        connection.expectAck(Packet.PUBACK, 9);
        assertThat(outbox.messages).isEmpty();
    }
}
