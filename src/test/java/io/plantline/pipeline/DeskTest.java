package io.plantline.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.model.MessageBatch;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.spi.Processed;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A plug-in at its address that is waited for and goes on to be asked. */
class DeskTest {
    private static final MessageBatch NOTHING = new MessageBatch.Builder(0).build();

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Hop<ProcessRequest, ProcessReply> hop =
            new Hop<>(Duration.ofSeconds(20), ProcessReply.class, ProcessReply::failed);
    private final Queue<Promise<ProcessReply>> asked = new ConcurrentLinkedQueue<>();
    private final Desk<ProcessRequest, ProcessReply> desk = new Desk<>(new Desk.Occupant<>(
            Future::succeededFuture,
            request -> {
                Promise<ProcessReply> answer = Promise.promise();
                asked.add(answer);
                return answer.future();
            },
            Future::succeededFuture));

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private <T> Future<T> onContext(Supplier<Future<T>> work) {
        Promise<T> done = Promise.promise();
        context.runOnContext(v -> work.get().onComplete(done));
        return done.future();
    }

    private Promise<ProcessReply> nextQuestion() {
        await().until(() -> !asked.isEmpty());
        return asked.remove();
    }

    private Future<ProcessReply> ask() {
        return onContext(() -> hop.request(vertx.eventBus(), "desk", new ProcessRequest(NOTHING)));
    }

    @Test
    void whoeverIsWaitedForOnceAnswersAllThatComesAfterwards() {
        PipelineCodec.registerAll(vertx.eventBus());
        await().until(onContext(() -> desk.start(vertx.eventBus(), "desk", hop, false))::succeeded);
        for (int i = 0; i < 3; i++) {
            Future<ProcessReply> answer = ask();
            Promise<ProcessReply> question = nextQuestion();
            Future<Void> idle = onContext(desk::idle);
            await().during(Duration.ofMillis(50)).until(() -> !idle.isComplete());
            question.complete(new ProcessReply(null, new Processed(NOTHING, Set.of(), Map.of())));
            await().until(idle::succeeded);
            await().until(answer::succeeded);
            assertThat(answer.result().failure()).isNull();
        }
    }
}
