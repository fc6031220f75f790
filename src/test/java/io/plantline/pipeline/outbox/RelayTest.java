package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Material;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.plugin.target.mqtt.MqttTargetFactory;
import io.plantline.spi.Loop;
import io.plantline.spi.Processed;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.CollectingOutbox;
import io.plantline.testkit.TestContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The relay between a fake dispatcher and a fake publisher, on a real event bus. */
class RelayTest {
    private final Vertx vertx = Vertx.vertx();
    private final TargetLedger ledger = new TargetLedger("t");
    private final List<String> published = new CopyOnWriteArrayList<>();
    private final List<String> plans = new CopyOnWriteArrayList<>();
    private final CollectingOutbox dead = new CollectingOutbox();
    private final AtomicReference<Function<PublishRequest, PublishReply>> publisher = new AtomicReference<>();
    private final AtomicReference<Function<MessageBatch, ProcessReply>> processor = new AtomicReference<>();

    private Duration retryMax = Duration.ofMillis(5);

    @BeforeEach
    void startBus() {
        PipelineCodec.registerAll(vertx.eventBus());
        Hop<PublishRequest, PublishReply> publish =
                new Hop<>(Duration.ofSeconds(5), PublishReply.class, PublishReply::failed);
        vertx.eventBus()
                .<PublishRequest>consumer(Addresses.publisher("t", "f"))
                .handler(publish.serve(
                        request -> Future.succeededFuture(publisher.get().apply(request))));
        Hop<ProcessRequest, ProcessReply> process =
                new Hop<>(Duration.ofSeconds(5), ProcessReply.class, ProcessReply::failed);
        vertx.eventBus()
                .<ProcessRequest>consumer(Addresses.processor("p", "f"))
                .handler(process.serve(
                        request -> Future.succeededFuture(processor.get().apply(request.batch()))));
        publisher.set(this::deliver);
    }

    @AfterEach
    void stopBus() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private PublishReply deliver(PublishRequest request) {
        plans.add(request.batch().plan().id());
        request.batch().forEach((ordinal, message) -> {
            if (request.batch().isPending(ordinal)) {
                published.add(new String(message.payload()));
            }
        });
        return new PublishReply(null, Verdicts.allDelivered());
    }

    private long bytesPerSecond;

    private OutboxVerticle outbox(int lanes, boolean deadLetters, ProcessorDefinition... processors) {
        return outbox("outbox", ledger, lanes, deadLetters, processors);
    }

    private OutboxVerticle outbox(
            String id, TargetLedger books, int lanes, boolean deadLetters, ProcessorDefinition... processors) {
        TargetDefinition target = new TargetDefinition(
                "t",
                new MqttTargetFactory(),
                "unused",
                Optional.empty(),
                List.of(),
                deadLetters ? Optional.of("dead") : Optional.empty(),
                100,
                1 << 20,
                Duration.ZERO,
                lanes,
                1,
                Duration.ofMillis(1),
                retryMax,
                new TargetDefinition.Limits(
                        Long.MAX_VALUE, TargetDefinition.OnFull.BLOCK, Duration.ZERO, 1 << 20, bytesPerSecond),
                false,
                Material.NONE,
                "f",
                "{}");
        OutboxVerticle outbox = new OutboxVerticle(
                target,
                List.of(processors),
                Storage.inMemory(id, () -> "hash"),
                books,
                name -> deadLetters ? dead : null);
        vertx.deployVerticle(outbox).toCompletionStage().toCompletableFuture().join();
        return outbox;
    }

    private static MessageBatch batch(String... payloads) {
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        for (String payload : payloads) {
            TestContext.add(builder, "topic", payload.getBytes(), MessageProperties.NONE);
        }
        return builder.build();
    }

    private static ProcessorDefinition definition(int maxAttempts, ProcessorDefinition.OnFailure onFailure) {
        return new ProcessorDefinition(
                "p",
                new io.plantline.plugin.processor.remote.RemoteProcessorFactory(),
                "unused",
                maxAttempts,
                onFailure,
                1,
                Material.NONE,
                "f");
    }

    private static void join(Future<Void> future) {
        future.toCompletionStage().toCompletableFuture().join();
    }

    private void balances(long accepted, long delivered, long filtered, long deadLettered) {
        TargetLedger.Snapshot snapshot = ledger.snapshot();
        assertThat(snapshot.balances()).isTrue();
        assertThat(List.of(snapshot.accepted(), snapshot.delivered(), snapshot.filtered(), snapshot.deadLettered()))
                .containsExactly(accepted, delivered, filtered, deadLettered);
    }

    @Test
    void noMoreBytesLeaveThanAreAllowed() {
        bytesPerSecond = 100_000;
        OutboxVerticle outbox = outbox(1, false);
        long start = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            join(outbox.append(0, batch("x".repeat(10_000))));
        }
        join(outbox.append(0, batch("end")));
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(990));
        assertThat(published).hasSize(11);
    }

    @Test
    void plansKeepApartWhileManyMessagesCome() {
        OutboxVerticle outbox = outbox(1, false);
        int count = 4_000;
        AtomicInteger left = new AtomicInteger(count);
        long start = System.nanoTime();
        // A sender who waits until a few messages are safe makes a plan of each few.
        join(Loop.run(() -> left.getAndDecrement() == 0
                ? Future.succeededFuture(false)
                : outbox.append(0, batch("a", "b", "c", "d")).map(true)));
        assertThat(plans).hasSize(count);
        assertThat((System.nanoTime() - start) / 500_000).isGreaterThanOrEqualTo(count - 1);
    }

    @Test
    void whatIsHeldInMemoryMovesToAnotherDefinitionAndIsSafeThere() {
        publisher.set(request -> request.batch().plan().outbox().equals("outbox")
                ? PublishReply.failed(Failure.operator("no-such-bucket", "x"))
                : deliver(request));
        OutboxVerticle held = outbox(1, false);
        Future<Void> first = held.append(0, batch("a", "b"));
        await().until(() -> ledger.snapshot().heldBecause() != null);
        Future<Void> second = held.append(0, batch("c"));
        TargetLedger books = new TargetLedger("other");
        OutboxVerticle other = outbox("other", books, 1, false);
        await().until(() -> {
            held.moveTo(other);
            return first.succeeded() && second.succeeded();
        });
        assertThat(published).containsExactly("a", "b", "c");
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(3);
        assertThat(ledger.snapshot().heldBecause()).isNull();
        assertThat(ledger.snapshot().waiting()).isZero();
        assertThat(books.snapshot().delivered()).isEqualTo(3);
    }

    @Test
    void aBatchIsSafeOnlyWhenItIsDelivered() {
        AtomicReference<Boolean> up = new AtomicReference<>(false);
        publisher.set(request -> up.get() ? deliver(request) : PublishReply.failed(Failure.retry("down", "x")));
        Future<Void> safe = outbox(1, false).append(0, batch("a", "b"));
        await().until(() -> ledger.snapshot().retries() > 3);
        assertThat(safe.isComplete()).isFalse();
        up.set(true);
        join(safe);
        assertThat(published).containsExactly("a", "b");
        balances(2, 2, 0, 0);
    }

    @Test
    void aRetryIsTheSamePlanAndSendsOnlyWhatWasNotDelivered() {
        List<String> attempts = new CopyOnWriteArrayList<>();
        publisher.set(request -> {
            attempts.add(request.batch().plan().id());
            deliver(request);
            return attempts.size() == 1
                    ? new PublishReply(null, new Verdicts(Map.of(1, Failure.retry("lost", "x"))))
                    : new PublishReply(null, Verdicts.allDelivered());
        });
        join(outbox(1, false).append(0, batch("a", "b", "c")));
        assertThat(new HashSet<>(attempts)).hasSize(1);
        assertThat(attempts).hasSize(2);
        assertThat(published).containsExactly("a", "b", "c", "b");
        balances(3, 3, 0, 0);
    }

    @Test
    void orderHoldsThroughFailures() {
        List<Integer> failing = new ArrayList<>(List.of(0, 2, 3, 7));
        List<PublishRequest> requests = new CopyOnWriteArrayList<>();
        publisher.set(request -> {
            requests.add(request);
            return failing.remove(Integer.valueOf(requests.size() - 1))
                    ? PublishReply.failed(Failure.retry("flaky", "x"))
                    : deliver(request);
        });
        OutboxVerticle outbox = outbox(1, false);
        List<Future<Void>> all = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            expected.add("m" + i);
            all.add(outbox.append(0, batch("m" + i)));
        }
        all.forEach(RelayTest::join);
        assertThat(published).isEqualTo(expected);
        balances(300, 300, 0, 0);
    }

    @Test
    void aRefusalThatSomebodyMustMendHoldsAndNeverDrops() {
        AtomicReference<Boolean> allowed = new AtomicReference<>(false);
        publisher.set(request ->
                allowed.get() ? deliver(request) : PublishReply.failed(Failure.operator("access-denied", "x")));
        Future<Void> safe = outbox(1, true).append(0, batch("a"));
        await().until(() -> "access-denied".equals(ledger.snapshot().heldBecause()));
        assertThat(dead.messages()).isEmpty();
        allowed.set(true);
        join(safe);
        assertThat(ledger.snapshot().heldBecause()).isNull();
        balances(1, 1, 0, 0);
    }

    @Test
    void aMessageThatCanNeverBeDeliveredIsADeadLetterAndTheRestFlows() {
        publisher.set(request -> {
            deliver(request);
            Map<Integer, Failure> refused = new HashMap<>();
            request.batch().forEach((ordinal, message) -> {
                if (new String(message.payload()).equals("poison")) {
                    refused.put(ordinal, Failure.reject("too-large", "x"));
                }
            });
            return new PublishReply(null, new Verdicts(refused));
        });
        join(outbox(1, true).append(0, batch("a", "poison", "b")));
        assertThat(dead.messages()).hasSize(1);
        assertThat(dead.messages().get(0)).startsWith("poison").contains("plantline-dead-letter-code, value=too-large");
        balances(3, 2, 0, 1);
    }

    @Test
    void withoutAPlaceForDeadLettersARefusedMessageHolds() {
        publisher.set(request -> new PublishReply(null, new Verdicts(Map.of(0, Failure.reject("too-large", "x")))));
        Future<Void> safe = outbox(1, false).append(0, batch("poison"));
        await().until(() -> "too-large".equals(ledger.snapshot().heldBecause()));
        assertThat(safe.isComplete()).isFalse();
        balances(1, 0, 0, 0);
    }

    @Test
    void processingHappensOncePerMessageHoweverOftenPublishingIsRepeated() {
        List<String> asked = new CopyOnWriteArrayList<>();
        processor.set(batch -> {
            MessageBatch.Builder output = new MessageBatch.Builder(100);
            MessageCursor message = batch.cursor();
            while (message.next()) {
                asked.add(new String(message.payload()));
                output.addChanged(message, MessageProperties.NONE, (new String(message.payload()) + "!").getBytes());
            }
            return new ProcessReply(null, new Processed(output.build(), Set.of(), Map.of()));
        });
        int[] attempts = {0};
        publisher.set(
                request -> attempts[0]++ < 5 ? PublishReply.failed(Failure.retry("down", "x")) : deliver(request));
        join(outbox(1, false, definition(20, ProcessorDefinition.OnFailure.DEAD_LETTER))
                .append(0, batch("a", "b")));
        assertThat(asked).containsExactly("a", "b");
        assertThat(published).containsExactly("a!", "b!");
    }

    private ProcessReply echo(MessageBatch batch, Function<String, Failure> failures) {
        MessageBatch.Builder output = new MessageBatch.Builder(100);
        Map<Long, Failure> failed = new HashMap<>();
        Set<Long> filtered = new HashSet<>();
        MessageCursor message = batch.cursor();
        while (message.next()) {
            String payload = new String(message.payload());
            Failure failure = failures.apply(payload);
            if (failure != null) {
                failed.put(message.sequence(), failure);
            } else if (payload.equals("filter")) {
                filtered.add(message.sequence());
            } else {
                output.addCopy(message);
            }
        }
        return new ProcessReply(null, new Processed(output.build(), filtered, failed));
    }

    @Test
    void filteredMessagesAreAccountedFor() {
        processor.set(batch -> echo(batch, payload -> null));
        join(outbox(1, false, definition(20, ProcessorDefinition.OnFailure.DEAD_LETTER))
                .append(0, batch("a", "filter", "b")));
        assertThat(published).containsExactly("a", "b");
        balances(3, 2, 1, 0);
    }

    @Test
    void aMessageThatFailsWhileOthersSucceedIsGivenUpAfterItsAttempts() {
        AtomicReference<Boolean> up = new AtomicReference<>(true);
        processor.set(batch -> {
            ProcessReply reply = echo(
                    batch, payload -> payload.equals("bad") || !up.get() ? Failure.retry("status-500", "x") : null);
            up.set(false);
            return reply;
        });
        OutboxVerticle outbox = outbox(1, true, definition(3, ProcessorDefinition.OnFailure.DEAD_LETTER));
        Future<Void> safe = outbox.append(0, batch("a", "bad", "b"));
        await().until(() -> ledger.snapshot().retries() > 5);
        assertThat(safe.isComplete())
                .as("nothing else succeeds meanwhile, so it is not given up")
                .isFalse();
        processor.set(batch -> echo(batch, payload -> payload.equals("bad") ? Failure.retry("status-500", "x") : null));
        List<Future<Void>> others = new ArrayList<>();
        for (int i = 0; i < 10 && !safe.isComplete(); i++) {
            long retries = ledger.snapshot().retries();
            others.add(outbox.append(0, batch("c" + i)));
            await().until(() -> safe.isComplete() || ledger.snapshot().retries() > retries + 1);
        }
        join(safe);
        others.forEach(RelayTest::join);
        assertThat(dead.messages()).hasSize(1);
        assertThat(dead.messages().get(0)).startsWith("bad");
        balances(3 + others.size(), 2 + others.size(), 0, 1);
    }

    /** In memory mode the broker's window is full then: Mosquitto's has room for 20. */
    @Test
    void aMessageThatFailsIsGivenUpAlsoWhereNothingMoreComes() {
        List<String> asked = new CopyOnWriteArrayList<>();
        processor.set(batch -> {
            return echo(batch, payload -> {
                asked.add(payload);
                return payload.equals("bad") ? Failure.retry("status-500", "x") : null;
            });
        });
        OutboxVerticle outbox = outbox(1, true, definition(5, ProcessorDefinition.OnFailure.DEAD_LETTER));
        join(outbox.append(0, batch("a", "bad", "b")));
        assertThat(dead.messages()).singleElement().asString().startsWith("bad");
        assertThat(published).containsExactly("a", "b");
        assertThat(asked.stream().filter("bad"::equals)).hasSize(5);
        assertThat(asked.stream().filter("b"::equals))
                .as("only one is asked about again")
                .hasSize(1);
        balances(3, 2, 0, 1);
    }

    /** What has passed tells of the service also after a while in which that was down. */
    @Test
    void aMessageThatFailsIsGivenUpAlsoAfterAnOutage() {
        AtomicInteger asked = new AtomicInteger();
        processor.set(batch -> {
            boolean down = asked.incrementAndGet() > 4 && asked.get() < 12;
            return down
                    ? ProcessReply.failed(Failure.retry("status-502", "x"))
                    : echo(batch, payload -> payload.equals("bad") ? Failure.retry("status-500", "x") : null);
        });
        OutboxVerticle outbox = outbox(1, true, definition(5, ProcessorDefinition.OnFailure.DEAD_LETTER));
        join(outbox.append(0, batch("a", "bad")));
        assertThat(asked.get()).as("the outage happened").isGreaterThan(12);
        assertThat(dead.messages()).singleElement().asString().startsWith("bad");
        balances(2, 1, 0, 1);
    }

    /** What waits with a message that fails is in memory, so it is bounded; the message is given up all the same. */
    @Test
    void aMessageThatFailsDoesNotGatherAllThatComesMeanwhile() {
        List<Integer> rounds = new CopyOnWriteArrayList<>();
        AtomicReference<Failure> failure = new AtomicReference<>(Failure.operator("status-404", "x"));
        processor.set(batch -> {
            rounds.add(batch.count());
            return echo(batch, payload -> payload.equals("bad") ? failure.get() : null);
        });
        OutboxVerticle outbox = outbox(1, true, definition(3, ProcessorDefinition.OnFailure.DEAD_LETTER));
        List<Future<Void>> all = new ArrayList<>();
        all.add(outbox.append(0, batch("bad")));
        String[] thousand = new String[1_000];
        java.util.Arrays.fill(thousand, "good");
        for (int i = 0; i < 30; i++) {
            all.add(outbox.append(0, batch(thousand)));
        }
        long before = ledger.snapshot().retries();
        await().until(() -> ledger.snapshot().retries() > before + 10);
        assertThat(rounds.stream().mapToInt(count -> count - 1).sum()).isBetween(9_000, 11_000);
        assertThat(published).isEmpty();

        failure.set(Failure.retry("status-500", "x"));
        all.forEach(RelayTest::join);
        assertThat(dead.messages()).singleElement().asString().startsWith("bad");
        balances(30_001, 30_000, 0, 1);
    }

    @Test
    void anOutageOfTheServiceGivesNothingUp() {
        AtomicReference<Boolean> up = new AtomicReference<>(false);
        int[] admitted = {0};
        processor.set(batch -> {
            admitted[0] = 0;
            return echo(
                    batch,
                    payload -> up.get() && (batch.count() < 50 || admitted[0]++ == 0)
                            ? null
                            : Failure.notTried("circuit-open", "x"));
        });
        String[] payloads = new String[60];
        java.util.Arrays.setAll(payloads, i -> "m" + i);
        OutboxVerticle outbox = outbox(1, true, definition(2, ProcessorDefinition.OnFailure.DEAD_LETTER));
        Future<Void> safe = outbox.append(0, batch(payloads));
        await().until(() -> ledger.snapshot().retries() > 10);
        up.set(true);
        join(safe);
        assertThat(dead.messages()).isEmpty();
        assertThat(published).containsExactly(payloads);
        balances(60, 60, 0, 0);
    }

    @Test
    void aServiceThatTakesSomeOfEveryRoundIsAskedAgainSoon() {
        retryMax = Duration.ofHours(1);
        int[] admitted = {0};
        processor.set(batch -> {
            admitted[0] = 0;
            return echo(batch, payload -> admitted[0]++ == 0 ? null : Failure.notTried("circuit-open", "x"));
        });
        String[] payloads = new String[40];
        java.util.Arrays.setAll(payloads, i -> "m" + i);
        OutboxVerticle outbox = outbox(1, true, definition(2, ProcessorDefinition.OnFailure.DEAD_LETTER));
        join(outbox.append(0, batch(payloads)));
        assertThat(published).containsExactly(payloads);
        assertThat(ledger.snapshot().retries()).isEqualTo(39);
    }

    @Test
    void onFailurePassThroughSendsTheOriginal() {
        processor.set(
                batch -> echo(batch, payload -> payload.equals("bad") ? Failure.reject("status-422", "x") : null));
        join(outbox(1, false, definition(3, ProcessorDefinition.OnFailure.PASS_THROUGH))
                .append(0, batch("a", "bad", "b")));
        assertThat(published).containsExactly("a", "bad", "b");
        balances(3, 3, 0, 0);
    }

    @Test
    void aStoppedOutboxGivesBackWhatItHas() {
        publisher.set(request -> PublishReply.failed(Failure.retry("down", "x")));
        OutboxVerticle outbox = outbox(1, false);
        Future<Void> safe = outbox.append(0, batch("a"));
        await().until(() -> ledger.snapshot().retries() > 0);
        vertx.undeploy(outbox.deploymentID())
                .toCompletionStage()
                .toCompletableFuture()
                .join();
        await().until(safe::isComplete);
        assertThat(safe.failed()).isTrue();
    }

    @Test
    void lanesDeliverSideBySide() {
        OutboxVerticle outbox = outbox(4, false);
        List<Future<Void>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            all.add(outbox.append(i % 4, batch("m" + i)));
        }
        all.forEach(RelayTest::join);
        assertThat(published).hasSize(100);
        assertThat(new HashSet<>(plans)).hasSize(plans.size());
        balances(100, 100, 0, 0);
    }
}
