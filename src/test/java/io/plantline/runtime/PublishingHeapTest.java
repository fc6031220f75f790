package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PublishingHeapTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final PublishingHeap share = new PublishingHeap(100, Duration.ofSeconds(1));
    private final List<String> begun = new CopyOnWriteArrayList<>();
    private final Map<String, Promise<String>> running = new HashMap<>();

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** What a target begins is named by it and a number: {@code a1} is the first of {@code a}. */
    private Future<String> begin(String name, long bytes) {
        Promise<String> end = Promise.promise();
        running.put(name, end);
        return share.with(context, name.substring(0, 1), name, bytes, () -> {
            begun.add(name);
            return end.future();
        });
    }

    /** Ends one, and waits until whoever has room then has begun. */
    private void end(String name) throws Exception {
        running.get(name).tryComplete(name);
        Promise<Void> turn = Promise.promise();
        context.runOnContext(v -> turn.complete());
        turn.future().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    @Test
    void whoHasRoomBeginsAtOnceAndOthersInTheirTurn() throws Exception {
        Future<String> first = begin("a1", 50);
        begin("b1", 40);
        begin("c1", 20);
        begin("d1", 10);
        assertThat(begun).as("d1 does not overtake").containsExactly("a1", "b1");
        end("b1");
        assertThat(begun).containsExactly("a1", "b1", "c1", "d1");
        assertThat(first.isComplete()).isFalse();
        end("a1");
        assertThat(first.result()).isEqualTo("a1");
    }

    @Test
    void aTargetThatHasSomeGetsHalfAndLetsOthersPass() throws Exception {
        begin("a1", 30);
        begin("a2", 30);
        begin("b1", 50);
        assertThat(begun).containsExactly("a1", "b1");
        end("a1");
        assertThat(begun).containsExactly("a1", "b1", "a2");
    }

    @Test
    void whoNeedsMoreThanThereIsGetsAllOfItAlone() throws Exception {
        begin("a1", 10);
        begin("b1", 1_000);
        begin("c1", 1);
        assertThat(begun).containsExactly("a1");
        end("a1");
        assertThat(begun).containsExactly("a1", "b1");
        end("b1");
        assertThat(begun).containsExactly("a1", "b1", "c1");
    }

    @Test
    void ofATargetNobodyOvertakes() throws Exception {
        begin("a1", 20);
        begin("a2", 60);
        begin("a3", 20);
        assertThat(begun).containsExactly("a1");
        end("a1");
        assertThat(begun).as("a2 has more than half").containsExactly("a1", "a2");
        end("a2");
        assertThat(begun).containsExactly("a1", "a2", "a3");
    }

    @Test
    void aStoreThatHangsStopsItsOwnTargetAndNobodyElse() throws Exception {
        begin("a1", 1_000);
        begin("a2", 10);
        begin("b1", 60);
        begin("c1", 60);
        assertThat(begun).containsExactly("a1");
        await().untilAsserted(() -> assertThat(begun).containsExactly("a1", "b1"));
        end("b1");
        assertThat(begun).as("it does not keep the next one either").containsExactly("a1", "b1", "c1");
        end("a1");
        end("c1");
        assertThat(begun).as("nothing was given back twice").containsExactly("a1", "b1", "c1", "a2");
        begin("d1", 50);
        begin("e1", 50);
        assertThat(begun).endsWith("a2", "d1");
    }

    @Test
    void whatFailsGivesItsRoomBack() throws Exception {
        Future<String> failing = begin("a1", 100);
        Future<String> throwing = share.with(context, "b", "b1", 100, () -> {
            throw new IllegalStateException("at once");
        });
        begin("c1", 100);
        running.get("a1").fail("down");
        end("a1");
        end("a1");
        assertThat(failing.failed()).isTrue();
        assertThat(throwing.failed()).isTrue();
        assertThat(begun).containsExactly("a1", "c1");
    }
}
