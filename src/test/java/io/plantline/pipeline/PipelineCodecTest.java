package io.plantline.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.model.Plan;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.spi.Processed;
import io.plantline.spi.Verdicts;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageCodec;
import java.lang.reflect.Proxy;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PipelineCodecTest {
    private final Map<Class<?>, MessageCodec<Object, Object>> codecs = codecs();

    /** What {@code registerAll} gives a bus. */
    @SuppressWarnings("unchecked")
    private static Map<Class<?>, MessageCodec<Object, Object>> codecs() {
        Map<Class<?>, MessageCodec<Object, Object>> found = new HashMap<>();
        EventBus recorder = (EventBus) Proxy.newProxyInstance(
                EventBus.class.getClassLoader(), new Class<?>[] {EventBus.class}, (proxy, method, arguments) -> {
                    found.put((Class<?>) arguments[0], (MessageCodec<Object, Object>) arguments[1]);
                    return proxy;
                });
        PipelineCodec.registerAll(recorder);
        return found;
    }

    @SuppressWarnings("unchecked")
    private <T> T overTheWire(T message) {
        MessageCodec<Object, Object> codec = codecs.get(message.getClass());
        Buffer buffer = Buffer.buffer("before");
        codec.encodeToWire(buffer, message);
        return (T) codec.decodeFromWire(6, buffer);
    }

    private static MessageBatch batch(int count, long first) {
        MessageBatch.Builder builder = new MessageBatch.Builder(10);
        for (int i = 0; i < count; i++) {
            byte[] payload = ("payload " + i).getBytes();
            builder.add(
                    "t/" + i % 3,
                    1,
                    false,
                    false,
                    1000 + i,
                    MessageProperties.NONE,
                    payload.length,
                    (target, offset) -> System.arraycopy(payload, 0, target, offset, payload.length));
        }
        return builder.build().numberedFrom(first);
    }

    @Test
    void aPublishRequestArrivesWhole() {
        BitSet delivered = new BitSet();
        delivered.set(3);
        Plan plan = new Plan("t", "f", "o", 4, 10, 24, 2, 15);
        PublishRequest request = overTheWire(new PublishRequest(
                new InlineBatch(plan, List.of(batch(10, 10), batch(5, 20)), delivered), "lender"));
        assertThat(request.batch().plan()).isEqualTo(plan);
        assertThat(request.batch().count()).isEqualTo(15);
        assertThat(request.batch().isPending(3)).isFalse();
        assertThat(request.batch().isPending(4)).isTrue();
        StringBuilder seen = new StringBuilder();
        request.batch()
                .forEach((ordinal, message) -> seen.append(ordinal)
                        .append(':')
                        .append(message.sequence())
                        .append(' '));
        assertThat(seen.toString()).startsWith("0:10 1:11").endsWith("13:23 14:24 ");
    }

    @Test
    void repliesArriveWhole() {
        PublishReply reply = new PublishReply(null, new Verdicts(Map.of(7, Failure.reject("too-big", "x"))));
        assertThat(overTheWire(reply)).isEqualTo(reply);
        PublishReply failed = PublishReply.failed(Failure.notTried("unreachable", "host"));
        assertThat(overTheWire(failed)).isEqualTo(failed);
        ProcessReply processed = overTheWire(new ProcessReply(
                null, new Processed(batch(2, 5), Set.of(9L), Map.of(8L, Failure.operator("denied", "y")))));
        assertThat(processed.processed().filtered()).containsExactly(9L);
        assertThat(processed.processed().failed()).containsEntry(8L, Failure.operator("denied", "y"));
        MessageCursor first = processed.processed().output().cursor();
        assertThat(first.next()).isTrue();
        assertThat(first.payload()).asString().isEqualTo("payload 0");
        assertThat(overTheWire(new ProcessRequest(batch(3, 1))).batch().count()).isEqualTo(3);
    }

    @Test
    void anotherVersionIsRefusedInWords() {
        MessageCodec<Object, Object> codec = codecs.get(ProcessRequest.class);
        assertThatThrownBy(() -> codec.decodeFromWire(0, Buffer.buffer(new byte[] {9})))
                .hasMessageContaining("version 9");
    }

    @Test
    void onOneNodeTheBatchIsHandedOverByReference() {
        Vertx vertx = Vertx.vertx();
        try {
            PipelineCodec.registerAll(vertx.eventBus());
            MessageBatch batch = batch(1, 1);
            Hop<ProcessRequest, ProcessReply> hop =
                    new Hop<>(java.time.Duration.ofSeconds(5), ProcessReply.class, ProcessReply::failed);
            vertx.eventBus()
                    .<ProcessRequest>consumer("here")
                    .handler(hop.serve(request -> io.vertx.core.Future.succeededFuture(
                            new ProcessReply(null, new Processed(request.batch(), Set.of(), Map.of())))));
            ProcessReply reply = hop.request(vertx.eventBus(), "here", new ProcessRequest(batch))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            assertThat(reply.processed().output()).isSameAs(batch);
            ProcessReply nobody = hop.request(vertx.eventBus(), "nowhere", new ProcessRequest(batch))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            assertThat(nobody.failure()).isNotNull();
            assertThat(nobody.failure().code()).isEqualTo("bus-no-handlers");
            vertx.eventBus().<ProcessRequest>consumer("broken").handler(hop.serve(request -> {
                throw new IllegalStateException("a bug");
            }));
            ProcessReply broken = hop.request(vertx.eventBus(), "broken", new ProcessRequest(batch))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            assertThat(broken.failure().detail()).contains("a bug");
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
