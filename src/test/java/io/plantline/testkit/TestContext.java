package io.plantline.testkit;

import io.plantline.model.Credential;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.model.Plan;
import io.plantline.pipeline.InlineBatch;
import io.plantline.spi.Memory;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** What the house gives a plug-in, for one plug-in alone; everything asked of the plug-in happens on one context. */
public final class TestContext implements TargetContext, AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final io.vertx.core.Context context = vertx.getOrCreateContext();
    private final PayloadFormat format;

    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private final Map<String, String> known = new ConcurrentHashMap<>();

    public TestContext(PayloadFormat format) {
        this.format = format;
    }

    /** What the plug-in has warned of, as {@code CODE: text}. */
    public List<String> warnings() {
        return warnings;
    }

    /** Calls on the context, and waits. */
    public <T> T call(Supplier<Future<T>> call) {
        Promise<T> promise = Promise.promise();
        context.runOnContext(v -> call.get().onComplete(promise));
        return promise.future().toCompletionStage().toCompletableFuture().join();
    }

    /** Messages on their topics, as {@code topic=payload}. */
    public static MessageBatch batch(String... messages) {
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        for (String message : messages) {
            int equals = message.indexOf('=');
            add(
                    builder,
                    message.substring(0, equals),
                    message.substring(equals + 1).getBytes(),
                    MessageProperties.NONE);
        }
        return builder.build().numberedFrom(1);
    }

    public static void add(MessageBatch.Builder builder, String topic, byte[] payload, MessageProperties properties) {
        builder.add(
                topic,
                1,
                false,
                false,
                1_795_503_600_123_456L,
                properties,
                payload.length,
                (target, offset) -> System.arraycopy(payload, 0, target, offset, payload.length));
    }

    public static PublishBatch plan(MessageBatch batch, int... delivered) {
        BitSet done = new BitSet();
        for (int ordinal : delivered) {
            done.set(ordinal);
        }
        long last = batch.firstSequence() + batch.count() - 1;
        Plan plan = new Plan("t", "f", "0123456789abcdef01234567", 3, batch.firstSequence(), last, 0, batch.count());
        return new InlineBatch(plan, List.of(batch), done);
    }

    /** The same messages, as another outbox or another start of one has them. */
    public static PublishBatch planOf(String outbox, long epoch, MessageBatch batch) {
        Plan plan = plan(batch).plan();
        return new InlineBatch(
                new Plan("t", "f", outbox, epoch, plan.first(), plan.last(), 0, plan.count()),
                List.of(batch),
                new BitSet());
    }

    @Override
    public Vertx vertx() {
        return vertx;
    }

    @Override
    public String name() {
        return "test";
    }

    @Override
    public PayloadFormat format() {
        return format;
    }

    @Override
    public <T> Future<T> blocking(Callable<T> work) {
        return vertx.executeBlocking(work, false);
    }

    @Override
    public <T> Future<T> withHeap(long bytes, Supplier<Future<T>> work) {
        return work.get();
    }

    @Override
    public Future<Credential> credential(SecretReference reference, boolean refresh) {
        return Future.succeededFuture(new Credential("user", "password".getBytes()));
    }

    @Override
    public Memory memory() {
        return new Memory() {
            @Override
            public Optional<String> recall(String name) {
                return Optional.ofNullable(known.get(name));
            }

            @Override
            public void remember(String name, String text) {
                known.put(name, text);
            }
        };
    }

    @Override
    public void warn(String code, String text) {
        warnings.add(code + ": " + text);
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
