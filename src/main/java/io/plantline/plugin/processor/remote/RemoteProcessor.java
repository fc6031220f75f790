package io.plantline.plugin.processor.remote;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.spi.Processed;
import io.plantline.spi.Processor;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Posts payloads to a service and puts its answers in their place, in the order of the messages. A request of several
 * messages that fails as a whole is halved until the message that spoils it stands alone.
 */
final class RemoteProcessor implements Processor {
    /** An answer that does not fit its question: one message may have spoilt it for all. */
    static final String BAD_RESPONSE = "bad-response";

    private final RemoteProcessorConfig config;
    private final Exchange exchange;
    private final Caller caller;

    RemoteProcessor(RemoteProcessorConfig config, TargetContext context) {
        this.config = config;
        this.caller = new Caller(config, context);
        this.exchange = config.openInference()
                ? new OpenInferenceExchange()
                : config.batchSize() == 1 ? new PayloadExchange() : new ArrayExchange();
    }

    @Override
    public Future<Processed> process(MessageBatch batch) {
        return new Run(batch).start();
    }

    @Override
    public Future<Void> close() {
        return caller.close();
    }

    /** A message on its way through. */
    private static final class Item {
        private final Input input;
        private final long sequence;
        private @Nullable Output output;
        private @Nullable Failure failure;

        Item(Input input, long sequence) {
            this.input = input;
            this.sequence = sequence;
        }
    }

    /** What the service gets of a message. */
    record Input(String topic, @Nullable String contentType, byte[] payload) {}

    /** What the service made of it; without a payload the message is filtered. */
    record Output(byte @Nullable [] payload, @Nullable String contentType) {}

    /** How messages become a request, and a response becomes messages again. */
    interface Exchange {
        Caller.Request request(List<Input> inputs, RemoteProcessorConfig config);

        /** As many as {@code count}; throws a {@link io.plantline.model.FailureException} if it is not. */
        List<Output> outputs(Caller.Response response, int count);
    }

    /** One batch. */
    private final class Run {
        private final MessageBatch batch;
        private final List<Item> items = new ArrayList<>();
        private final ArrayDeque<List<Item>> groups = new ArrayDeque<>();
        private final Promise<Processed> promise = Promise.promise();
        private int calling;
        private boolean pumping;
        /** Failures since the last answer that could be used. */
        private int inARow;

        Run(MessageBatch batch) {
            this.batch = batch;
        }

        Future<Processed> start() {
            MessageCursor message = batch.cursor();
            while (message.next()) {
                items.add(new Item(
                        new Input(message.topic(), message.properties().contentType(), message.payload()),
                        message.sequence()));
            }
            for (int i = 0; i < items.size(); i += config.batchSize()) {
                groups.add(items.subList(i, Math.min(items.size(), i + config.batchSize())));
            }
            pump();
            return promise.future();
        }

        /** Starts calls while there is room. A call may end at once, so this is a loop and no recursion. */
        private void pump() {
            if (pumping) {
                return;
            }
            pumping = true;
            while (calling < config.maxConcurrency() && !groups.isEmpty()) {
                List<Item> group = groups.poll();
                calling++;
                ask(group).onComplete(done -> {
                    calling--;
                    pump();
                });
            }
            pumping = false;
            if (calling == 0 && groups.isEmpty()) {
                promise.tryComplete(result());
            }
        }

        private Future<Void> ask(List<Item> group) {
            Caller.Request request;
            try {
                request =
                        exchange.request(group.stream().map(item -> item.input).toList(), config);
            } catch (RuntimeException e) {
                refused(group, Failure.of(e));
                return Future.succeededFuture();
            }
            return caller.call(request)
                    .map(response -> exchange.outputs(response, group.size()))
                    .<Void>map(outputs -> {
                        inARow = 0;
                        for (int i = 0; i < group.size(); i++) {
                            group.get(i).output = outputs.get(i);
                        }
                        return null;
                    })
                    .recover(e -> {
                        refused(group, Failure.of(e));
                        return Future.succeededFuture();
                    });
        }

        private void refused(List<Item> group, Failure failure) {
            inARow++;
            if (group.size() > 1 && mayBeOfOne(failure)) {
                groups.addFirst(group.subList(group.size() / 2, group.size()));
                groups.addFirst(group.subList(0, group.size() / 2));
                return;
            }
            for (Item item : group) {
                item.failure = failure;
            }
        }

        /** Whether one message may have spoilt it for all; a service that fails whatever it gets need not hear it of each. */
        private boolean mayBeOfOne(Failure failure) {
            int steps = Integer.SIZE - Integer.numberOfLeadingZeros(config.batchSize());
            return switch (failure.kind()) {
                case REJECT -> true;
                case RETRY -> failure.tried() && inARow <= steps + config.maxConcurrency();
                case OPERATOR -> false;
            };
        }

        private Processed result() {
            MessageBatch.Builder output = new MessageBatch.Builder(batch.sizeInBytes());
            Set<Long> filtered = new HashSet<>();
            Map<Long, Failure> failed = new HashMap<>();
            MessageCursor message = batch.cursor();
            for (Item item : items) {
                message.next();
                Output made = item.output;
                if (item.failure != null) {
                    failed.put(item.sequence, item.failure);
                } else if (made == null || made.payload() == null) {
                    filtered.add(item.sequence);
                } else {
                    MessageProperties before = message.properties();
                    String contentType = made.contentType() == null ? before.contentType() : made.contentType();
                    output.addChanged(
                            message,
                            new MessageProperties(contentType, before.responseTopic(), before.user()),
                            made.payload());
                }
            }
            return new Processed(output.build(), filtered, failed);
        }
    }
}
