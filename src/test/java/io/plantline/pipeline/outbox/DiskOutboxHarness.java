package io.plantline.pipeline.outbox;

import static org.awaitility.Awaitility.await;

import io.plantline.config.Material;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Hop;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.PipelineCodec;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.plugin.target.mqtt.MqttTargetFactory;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.TestContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** An outbox on disk, which can be opened again and again, with a fake publisher behind it. */
abstract class DiskOutboxHarness {
    static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    final List<String> published = new CopyOnWriteArrayList<>();
    final List<String> plans = new CopyOnWriteArrayList<>();
    volatile Function<PublishRequest, PublishReply> publisher = this::deliver;
    volatile Function<PublishRequest, Future<PublishReply>> answers =
            request -> Future.succeededFuture(publisher.apply(request));
    OutboxVerticle opened;
    Vertx vertx = Vertx.vertx();
    TargetLedger ledger = new TargetLedger("t");
    long maxBytes = 100 * MIB;
    long planBytes = 4 * MIB;
    int planRecords = 100;
    long deadLetterBytes = MIB;
    Duration maxAge = Duration.ZERO;
    OnFull onFull = OnFull.BLOCK;
    List<ProcessorDefinition> processors = List.of();
    Outbox deadOutbox;
    Disk.Opener disks = FileDisk::new;
    /** Whether what is published is named by its plan, which must not change then. */
    boolean namesByPlan = true;

    @AfterEach
    void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    PublishReply deliver(PublishRequest request) {
        plans.add(request.batch().plan().id());
        request.batch().forEach((ordinal, message) -> published.add(new String(message.payload())));
        return new PublishReply(null, Verdicts.allDelivered());
    }

    PublishReply refuse(PublishRequest request) {
        plans.add(request.batch().plan().id());
        return PublishReply.failed(Failure.retry("down", "down"));
    }

    OutboxVerticle open(int lanes) {
        PipelineCodec.registerAll(vertx.eventBus());
        Hop<PublishRequest, PublishReply> publish =
                new Hop<>(Duration.ofSeconds(5), PublishReply.class, PublishReply::failed);
        vertx.eventBus()
                .<PublishRequest>consumer(Addresses.publisher("t", "f"))
                .handler(publish.serve(request -> answers.apply(request)));
        OutboxVerticle outbox = new OutboxVerticle(
                target(lanes, "f"),
                processors,
                new Storage("outbox", Optional.of(folder), disks, 0, () -> "hash"),
                ledger,
                name -> deadOutbox);
        opened = outbox;
        vertx.deployVerticle(outbox).toCompletionStage().toCompletableFuture().join();
        outbox.resume();
        return outbox;
    }

    TargetDefinition target(int lanes, String fingerprint) {
        return new TargetDefinition(
                "t",
                new MqttTargetFactory(),
                "unused",
                Optional.empty(),
                List.of(),
                Optional.ofNullable(deadOutbox).map(some -> "dead"),
                planRecords,
                planBytes,
                Duration.ZERO,
                lanes,
                1,
                Duration.ofMillis(1),
                Duration.ofMillis(5),
                new TargetDefinition.Limits(maxBytes, onFull, maxAge, deadLetterBytes, 0),
                namesByPlan,
                Material.NONE,
                fingerprint,
                "{}");
    }

    OutboxVerticle reopen(int lanes) {
        stop();
        vertx = Vertx.vertx();
        ledger = new TargetLedger("t");
        return open(lanes);
    }

    static MessageBatch batch(int size, String... payloads) {
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        for (String payload : payloads) {
            byte[] bytes = (payload + " ".repeat(Math.max(0, size - payload.length()))).getBytes();
            TestContext.add(builder, "topic", bytes, MessageProperties.NONE);
        }
        return builder.build();
    }

    static void append(OutboxVerticle outbox, String... payloads) throws Exception {
        outbox.append(0, batch(0, payloads))
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    /**
     * Messages of 8 KiB named {@code prefix} and a number, a few on their way at once, as a session has them; returns when all are
     * safe.
     */
    static void appendAll(OutboxVerticle outbox, String prefix, int from, int to) throws Exception {
        ArrayDeque<Future<?>> waiting = new ArrayDeque<>();
        for (int i = from; i < to; i++) {
            waiting.add(outbox.append(0, incompressible(8_192, prefix + i)));
            if (waiting.size() == 8) {
                get(waiting.remove());
            }
        }
        for (Future<?> last : waiting) {
            get(last);
        }
    }

    /** An outbox of the target as it is defined otherwise, with a publisher that takes everything. */
    OutboxVerticle another(Path elsewhere, TargetLedger books, List<String> delivered) {
        Hop<PublishRequest, PublishReply> hop =
                new Hop<>(Duration.ofSeconds(5), PublishReply.class, PublishReply::failed);
        vertx.eventBus()
                .<PublishRequest>consumer(Addresses.publisher("t", "g"))
                .handler(hop.serve(request -> request.batch()
                        .forEach((ordinal, message) ->
                                delivered.add(new String(message.payload(), StandardCharsets.US_ASCII).split(" ")[0]))
                        .map(v -> new PublishReply(null, Verdicts.allDelivered()))));
        OutboxVerticle other = new OutboxVerticle(
                target(2, "g"),
                processors,
                new Storage("other", Optional.of(elsewhere), FileDisk::new, 0, () -> "hash"),
                books,
                name -> null);
        vertx.deployVerticle(other).toCompletionStage().toCompletableFuture().join();
        other.resume();
        return other;
    }

    /** Of one message, which begins with its name. */
    static MessageBatch incompressible(int size, String name) {
        byte[] bytes = new byte[size];
        new Random(name.hashCode()).nextBytes(bytes);
        byte[] head = (name + " ").getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(head, 0, bytes, 0, head.length);
        MessageBatch.Builder builder = new MessageBatch.Builder(size + 100);
        TestContext.add(builder, "topic", bytes, MessageProperties.NONE);
        return builder.build();
    }

    static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    void awaitPublished(int count) {
        try {
            await().atMost(Duration.ofSeconds(20)).until(() -> published.size() >= count);
        } catch (ConditionTimeoutException e) {
            // Who waits for what, which nobody could tell afterwards.
            Thread.getAllStackTraces().forEach((thread, stack) -> {
                if (thread.getName().startsWith("vert.x") || thread.getName().startsWith("plantline")) {
                    System.out.println(thread.getName() + " " + List.of(stack));
                }
            });
            throw new AssertionError(
                    published.size() + " of " + count + " published, " + plans.size() + " attempts; "
                            + ledger.snapshot() + "; " + opened,
                    e);
        }
    }
}
