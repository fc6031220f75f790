package io.plantline.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.model.Plan;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.pipeline.PipelineMessage.PullReply;
import io.plantline.pipeline.PipelineMessage.PullRequest;
import io.plantline.spi.BatchReader;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nodes say to each other, with what a bus may do to it. */
class LenderTest {
    private static final int BATCHES = 5_000;

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Plan plan = new Plan("t", "f", "o", 1, 0, BATCHES - 1, 0, BATCHES);
    private Lender lender;

    @BeforeEach
    void start() throws Exception {
        PipelineCodec.registerAll(vertx.eventBus());
        lender = new Lender(vertx.eventBus());
        get(lender::start);
    }

    @AfterEach
    void stop() throws Exception {
        get(vertx::close);
    }

    private <T> T get(Supplier<Future<T>> work) throws Exception {
        return OnContext.call(context, work)
                .toCompletionStage()
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
    }

    private PublishBatch planOfManyBatches() {
        List<MessageBatch> batches = new ArrayList<>();
        byte[] payload = new byte[1_000];
        for (int i = 0; i < BATCHES; i++) {
            MessageBatch.Builder builder = new MessageBatch.Builder(2_048);
            builder.add(
                    "a/b",
                    1,
                    false,
                    false,
                    1_000 + i,
                    MessageProperties.NONE,
                    payload.length,
                    (target, offset) -> System.arraycopy(payload, 0, target, offset, payload.length));
            batches.add(builder.build().numberedFrom(i));
        }
        return new InlineBatch(plan, batches, new BitSet());
    }

    private PublishBatch borrowed() {
        return new BorrowedBatch(vertx.eventBus(), lender.address(), plan, BATCHES, BATCHES * 1_000L, new BitSet());
    }

    private List<Long> sequences(PublishBatch batch) throws Exception {
        List<Long> seen = new ArrayList<>();
        get(() -> batch.forEach((ordinal, message) -> seen.add(message.sequence())));
        return seen;
    }

    @Test
    void aPlanOfManySmallBatchesIsReadInFewPiecesAndAsOftenAsNeeded() throws Exception {
        lender.lend(planOfManyBatches());
        List<Long> all = LongStream.range(0, BATCHES).boxed().toList();
        assertThat(sequences(borrowed())).isEqualTo(all);
        assertThat(sequences(borrowed())).isEqualTo(all);
        PullReply piece =
                get(() -> Lender.HOP.request(vertx.eventBus(), lender.address(), new PullRequest(plan.id(), 7, 0)));
        assertThat(piece.batches().stream().mapToLong(MessageBatch::sizeInBytes).sum())
                .as("a piece is about a mebibyte")
                .isBetween(1L << 20, (1L << 20) + 2_000);
    }

    @Test
    void aPieceMayBeAskedForAgainBecauseItsReplyMayBeLost() throws Exception {
        lender.lend(planOfManyBatches());
        Supplier<Future<PullReply>> second =
                () -> Lender.HOP.request(vertx.eventBus(), lender.address(), new PullRequest(plan.id(), 7, 1));
        assertThat(get(second).failure()).as("before the first").isNotNull();
        get(() -> Lender.HOP.request(vertx.eventBus(), lender.address(), new PullRequest(plan.id(), 7, 0)));
        long sequence = get(second).batches().get(0).firstSequence();
        assertThat(get(second).batches().get(0).firstSequence())
                .isEqualTo(sequence)
                .isPositive();
    }

    @Test
    void aPlanThatWasTakenBackIsNotRead() {
        PublishBatch batch = planOfManyBatches();
        lender.lend(batch);
        lender.takeBack(batch);
        assertThatThrownBy(() -> sequences(borrowed()))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("plan-taken-back");
    }

    @Test
    void anotherAttemptIsNotTakenBackWithTheOneBefore() throws Exception {
        PublishBatch before = planOfManyBatches();
        lender.lend(before);
        lender.lend(planOfManyBatches());
        lender.takeBack(before);
        assertThat(sequences(borrowed())).hasSize(BATCHES);
    }

    @Test
    void whoIsHeardOfIsWaitedForAndWhoIsNotIsGivenUp() throws Exception {
        Hop<PublishRequest, PublishReply> hop =
                new Hop<>(Duration.ofMinutes(1), PublishReply.class, PublishReply::failed);
        Patience patience = new Patience((ContextInternal) context, Duration.ofSeconds(3));
        get(patience::start);
        Promise<PublishReply> slow = Promise.promise();
        AtomicInteger asked = new AtomicInteger();
        vertx.eventBus().<PublishRequest>consumer("slow").handler(hop.serve(request -> {
            asked.incrementAndGet();
            return slow.future();
        }));
        vertx.setTimer(5_000, id -> slow.complete(new PublishReply(null, Verdicts.allDelivered())));
        PublishRequest request = new PublishRequest(planOfManyBatches(), lender.address());
        assertThat(get(() -> hop.request(patience, "slow", request)).failure()).isNull();
        assertThat(asked).hasValue(1);

        MessageConsumer<PublishRequest> dead = vertx.eventBus().consumer("dead");
        dead.handler(message -> {});
        Failure failure = get(() -> hop.request(patience, "dead", request)).failure();
        assertThat(failure).isNotNull();
        assertThat(failure.kind()).isEqualTo(Failure.Kind.RETRY);
        assertThat(failure.code()).isEqualTo("bus-silent");
        assertThat(get(() -> hop.request(patience, "nobody", request)).failure().code())
                .isEqualTo("bus-no-handlers");
        get(patience::stop);
    }

    @Test
    void manyPiecesThatTakeTheirTimeAreNoRecursion() throws Exception {
        AtomicInteger left = new AtomicInteger(100_000);
        MessageBatch one = planOfManyBatches().reader().next().result();
        BatchReader reader = () -> {
            Promise<MessageBatch> promise = Promise.promise();
            context.runOnContext(
                    v -> promise.complete(left.getAndDecrement() > 0 ? one : new MessageBatch.Builder(0).build()));
            return promise.future();
        };
        assertThat(get(() -> reader.next(Long.MAX_VALUE))).hasSize(100_000);
    }
}
