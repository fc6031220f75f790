package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.Material;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.ProcessorDefinition.OnFailure;
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
import io.plantline.plugin.processor.remote.RemoteProcessorFactory;
import io.plantline.spi.Processed;
import io.plantline.testkit.CollectingOutbox;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A target with processors on disk: each message is processed once, whatever happens behind the processor. */
class TwoStageOutboxTest extends DiskOutboxHarness {
    @TempDir
    private Path copies;

    private final List<String> processed = new CopyOnWriteArrayList<>();
    private final CollectingOutbox dead = new CollectingOutbox();
    private volatile boolean down;

    @BeforeEach
    void addProcessor() {
        processors = List.of(new ProcessorDefinition(
                "p", new RemoteProcessorFactory(), "unused", 3, OnFailure.DEAD_LETTER, 1, Material.NONE, "f"));
        deadOutbox = dead;
    }

    @Override
    OutboxVerticle open(int lanes) {
        Hop<ProcessRequest, ProcessReply> hop =
                new Hop<>(Duration.ofSeconds(5), ProcessReply.class, ProcessReply::failed);
        vertx.eventBus()
                .<ProcessRequest>consumer(Addresses.processor("p", "f"))
                .handler(hop.serve(request -> Future.succeededFuture(process(request.batch()))));
        return super.open(lanes);
    }

    /** Makes {@code X} of {@code x}; takes out what begins with f, refuses what begins with r, and fails at what begins with p. */
    private ProcessReply process(MessageBatch batch) {
        if (down) {
            return ProcessReply.failed(Failure.retry("down", "down"));
        }
        MessageBatch.Builder output = new MessageBatch.Builder(100);
        Set<Long> filtered = new HashSet<>();
        Map<Long, Failure> failed = new HashMap<>();
        MessageCursor message = batch.cursor();
        while (message.next()) {
            String payload = new String(message.payload());
            processed.add(payload);
            if (payload.startsWith("p")) {
                failed.put(message.sequence(), Failure.retry("poison", "again and again"));
            } else if (payload.startsWith("f")) {
                filtered.add(message.sequence());
            } else if (payload.startsWith("r")) {
                failed.put(message.sequence(), Failure.reject("refused", "refused"));
            } else {
                output.addChanged(
                        message, MessageProperties.NONE, payload.toUpperCase().getBytes());
            }
        }
        return new ProcessReply(null, new Processed(output.build(), filtered, failed));
    }

    @Test
    void nothingIsProcessedTwiceWhileTheTargetIsDown() throws Exception {
        publisher = this::refuse;
        OutboxVerticle outbox = open(2);
        append(outbox, "a", "f", "b");
        append(outbox, "r", "c");
        append(outbox, "f", "f");
        await().until(() -> processed.size() == 7 && ledger.snapshot().filtered() == 3);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 7 = delivered 0 + filtered 3 + dead-lettered 1 + waiting 3");
        publisher = request -> PublishReply.failed(Failure.retry("down", "still"));
        reopen(2);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 7 = delivered 0 + filtered 3 + dead-lettered 1 + waiting 3");
        publisher = this::deliver;
        awaitPublished(3);
        assertThat(published).containsExactly("A", "B", "C");
        assertThat(processed).hasSize(7);
        assertThat(dead.messages()).hasSize(1);
        assertThat(dead.messages().get(0)).startsWith("r ");
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 7 = delivered 3 + filtered 3 + dead-lettered 1 + waiting 0");
    }

    @Test
    void whatTheReadyLogHasIsNotProcessedAgainAfterACrash() throws Exception {
        publisher = this::refuse;
        processors = List.of(); // So that all stays as it came.
        folder = folder.resolve("raw");
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "f", "b", "r");
        stop();
        folder = folder.getParent();
        copy(folder.resolve("raw"), copies);

        addProcessor();
        reopen(1);
        await().until(() -> processed.size() == 4 && ledger.snapshot().filtered() == 1);
        await().until(() -> !plans.isEmpty());
        stop();
        // As if the crash had come between the ready log's append and the raw log's commit.
        copy(copies, folder.resolve("raw"));

        publisher = this::deliver;
        outbox = reopen(1);
        awaitPublished(2);
        append(outbox, "c");
        awaitPublished(3);
        assertThat(published).containsExactly("A", "B", "C");
        assertThat(processed).containsExactly("a", "f", "b", "r", "c");
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 5 = delivered 3 + filtered 1 + dead-lettered 1 + waiting 0");
    }

    @Test
    void lanesChangeWhenNothingIsInTheWay() throws Exception {
        publisher = this::refuse;
        OutboxVerticle outbox = open(2);
        append(outbox, "a", "b");
        await().until(() -> !plans.isEmpty());
        assertThat(reopen(4).lanes()).as("messages wait to be published").isEqualTo(2);
        publisher = this::deliver;
        awaitPublished(2);
        await().until(() -> ledger.snapshot().waiting() == 0);
        OutboxVerticle wider = reopen(4);
        assertThat(wider.lanes()).isEqualTo(4);
        append(wider, "c");
        awaitPublished(3);
        assertThat(processed).hasSize(3);
    }

    /** A wrong bucket that was put right, behind a processor. */
    @Test
    void whatWasProcessedIsInTheBooksOfWhoGetsIt(@TempDir Path elsewhere) throws Exception {
        publisher = request -> {
            plans.add(request.batch().plan().id());
            return PublishReply.failed(Failure.operator("no-such-bucket", "wrong"));
        };
        OutboxVerticle outbox = open(1);
        append(outbox, "tried");
        await().until(() -> !plans.isEmpty());
        append(outbox, "a", "b");
        await().until(() -> processed.size() == 3);
        List<String> moved = new CopyOnWriteArrayList<>();
        TargetLedger books = new TargetLedger("new");
        OutboxVerticle other = another(elsewhere, books, moved);
        long[] count = {0};
        await().until(() -> (count[0] += get(outbox.moveTo(other))) == 2);
        await().until(() -> moved.size() == 2 && books.snapshot().waiting() == 0);
        assertThat(moved).containsExactly("A", "B");
        assertThat(processed).hasSize(3);
        assertThat(books.snapshot())
                .hasToString("new: accepted 2 = delivered 2 + filtered 0 + dead-lettered 0 + waiting 0");
        assertThat(get(other.isDone())).isTrue();
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(2);
        assertThat(ledger.snapshot().waiting()).isEqualTo(1);
        stop();
        vertx = Vertx.vertx();
        PipelineCodec.registerAll(vertx.eventBus());
        TargetLedger again = new TargetLedger("new");
        another(elsewhere, again, moved);
        assertThat(again.snapshot().totals()).isEqualTo(books.snapshot().totals());
    }

    /** Behind a plan before a gap nothing joins, so something behind it must tell that the service is up. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPoisonMessageBeforeAGapEnds(boolean restart) throws Exception {
        OutboxVerticle outbox = open(1);
        append(outbox, "poison");
        await().until(() -> processed.size() > 1);
        long[] purged = {0};
        for (int i = 0; purged[0] == 0; i++) {
            outbox.append(0, batch(0, "x" + i));
            purged[0] = get(outbox.purge(false));
        }
        down = true;
        append(outbox, "poison too");
        append(outbox, "good");
        if (restart) {
            reopen(1);
        }
        down = false;
        await("the first by itself").until(() -> dead.messages().size() == 1);
        await("the second while others come").until(() -> {
            append(opened, "good");
            return dead.messages().size() == 2;
        });
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).endsWith("GOOD");
        assertThat(ledger.snapshot().balances()).isTrue();
    }

    /** While a plan waits nothing else reads, so it has to. */
    @Test
    void aPoisonMessageBeforeABacklogLargerThanMemoryEnds() throws Exception {
        planBytes = MIB;
        down = true;
        OutboxVerticle outbox = open(1);
        append(outbox, "poison");
        int count = 3_000;
        for (int i = 0; i < count; i++) {
            outbox.append(0, incompressible(8_192, "m" + i));
        }
        await().until(() -> ledger.snapshot().waiting() == 1 + count);
        reopen(1);
        down = false;
        await().atMost(Duration.ofSeconds(30)).until(() -> ledger.snapshot().waiting() == 0);
        assertThat(dead.messages()).hasSize(1);
        assertThat(published).hasSize(count);
    }

    /** Makes {@code to} hold the files of {@code from}, and nothing else. */
    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> old = Files.list(to);
                Stream<Path> files = Files.list(from)) {
            for (Path file : old.toList()) {
                Files.delete(file);
            }
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }
}
