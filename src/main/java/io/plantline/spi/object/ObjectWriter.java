package io.plantline.spi.object;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.Plan;
import io.plantline.spi.BatchReader;
import io.plantline.spi.Loop;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a plan as objects, piece by piece: a plan, and each of its objects, may be larger than memory. Where it has more objects than
 * may be open at once it is read again for the next ones.
 */
public final class ObjectWriter {
    private static final long PIECE_BYTES = 1 << 20;
    /** Of a piece, a store may keep each object in memory, and it is larger than its message. */
    private static final long SINGLE_PIECE_BYTES = 256 << 10;
    /** Objects of a plan that are encoded at once: each has buffers of its own, before its first message. */
    private static final int OPEN = 64;
    /** The same, where each may be large. */
    private static final int OPEN_OF_LARGE = 4;

    private static final long LARGE_BYTES = 64 << 20;

    private final ObjectLayout layout;
    private final PayloadFormat format;
    private final ObjectStore store;
    private final TargetContext context;
    private final int concurrency;
    private final long draftBytes;

    /**
     * A writer.
     *
     * @param concurrency objects that are published at once
     * @param draftBytes what the store keeps of each object in memory, at most
     */
    public ObjectWriter(
            ObjectLayout layout,
            PayloadFormat format,
            ObjectStore store,
            TargetContext context,
            int concurrency,
            long draftBytes) {
        this.layout = layout;
        this.format = format;
        this.store = store;
        this.context = context;
        this.concurrency = concurrency;
        this.draftBytes = draftBytes;
    }

    /**
     * Writes the objects of a plan that still have a pending message.
     *
     * @return verdicts by object: all messages of one are delivered, or all are refused for one reason
     */
    public Future<Verdicts> write(PublishBatch batch) {
        return context.withHeap(heapBytes(batch), () -> {
            Run run = new Run(batch);
            return run.start().recover(e -> run.discardAll().transform(v -> Future.failedFuture(e)));
        });
    }

    /** About: a piece that was read, what encoders keep of all open objects, and what the store has got of them. */
    private long heapBytes(PublishBatch batch) {
        long bytes = batch.sizeInBytes();
        long piece = Math.min(bytes, PIECE_BYTES);
        if (layout.single()) {
            return 3 * piece;
        }
        int open = bytes > LARGE_BYTES ? OPEN_OF_LARGE : OPEN;
        return piece + Math.min(bytes, open * format.bufferBytes()) + Math.min(bytes, open * draftBytes);
    }

    /** One plan. */
    private final class Run {
        private final PublishBatch batch;
        private final Map<String, OpenObject> open = new LinkedHashMap<>();
        private final Verdicts.Collector verdicts = new Verdicts.Collector();
        /** Numbers of the partitions, in the order in which they appear. */
        private final Map<String, Integer> numbers = new HashMap<>();
        /** Bytes of payload in those that the first reading did not write. */
        private final Map<Integer, Long> later = new HashMap<>();

        private final String ids;
        private int atOnce;
        private BatchReader reader;
        private ObjectLayout.Partitions partitions = layout.new Partitions();
        private int ordinal;
        /** The first partition that this reading writes. */
        private int from;

        Run(PublishBatch batch) {
            this.batch = batch;
            this.ids = batch.plan().idPrefix() + "-";
            this.reader = batch.reader();
            this.atOnce = batch.sizeInBytes() > LARGE_BYTES ? OPEN_OF_LARGE : OPEN;
        }

        Future<Verdicts> start() {
            return Loop.run(this::next).map(v -> verdicts.verdicts());
        }

        private Future<Boolean> next() {
            return reader.next(layout.single() ? SINGLE_PIECE_BYTES : PIECE_BYTES)
                    .compose(pieces -> context.blocking(() -> pieces.isEmpty() ? closeAll() : encode(pieces))
                            .compose(this::publishAll)
                            .map(v -> !pieces.isEmpty() || isReadAgain()));
        }

        /** Whether there are partitions for another reading. */
        private boolean isReadAgain() {
            from += atOnce;
            if (from >= numbers.size()) {
                return false;
            }
            atOnce = fewEnough();
            reader = batch.reader();
            partitions = layout.new Partitions();
            ordinal = 0;
            return true;
        }

        /** So many of the next partitions that they are not too large together. */
        private int fewEnough() {
            long bytes = 0;
            int few = 0;
            while (few < OPEN && from + few < numbers.size() && (few < OPEN_OF_LARGE || bytes <= LARGE_BYTES)) {
                bytes += later.getOrDefault(from + few, 0L);
                few++;
            }
            return few;
        }

        /** Returns the objects to which nothing more comes. */
        private List<ClosedObject> encode(List<MessageBatch> pieces) throws IOException {
            List<ClosedObject> done = new ArrayList<>();
            for (MessageBatch piece : pieces) {
                MessageCursor message = piece.cursor();
                while (message.next()) {
                    if (layout.single()) {
                        single(message, done);
                    } else {
                        add(message);
                    }
                    ordinal++;
                }
            }
            return done;
        }

        private void single(MessageCursor message, List<ClosedObject> done) throws IOException {
            if (batch.isPending(ordinal)) {
                Plan plan = batch.plan();
                String key = layout.key(plan, message, message.sequence(), message.sequence(), 0, format);
                OpenObject object = new OpenObject(store.begin(plan, key));
                object.add(ordinal, plan.messageId(message.sequence()), message);
                done.add(object.close());
            }
        }

        private void add(MessageCursor message) throws IOException {
            Plan plan = batch.plan();
            String partition = partitions.of(message);
            OpenObject object = open.get(partition);
            if (object == null) {
                int number = numbers.computeIfAbsent(partition, any -> numbers.size());
                if (number < from || number >= from + atOnce) {
                    if (from == 0) {
                        later.merge(number, (long) message.payloadLength(), Long::sum);
                    }
                    return;
                }
                object = new OpenObject(
                        store.begin(plan, layout.key(plan, message, plan.first(), plan.last(), number, format)));
                open.put(partition, object);
            }
            object.add(ordinal, ids + Plan.padded(message.sequence()), message);
        }

        private List<ClosedObject> closeAll() throws IOException {
            List<ClosedObject> all = new ArrayList<>();
            for (OpenObject object : open.values()) {
                all.add(object.close());
            }
            open.clear();
            return all;
        }

        private Future<Void> publishAll(List<ClosedObject> objects) {
            List<Future<Void>> streams = new ArrayList<>();
            List<ClosedObject> pending = new ArrayList<>();
            for (ClosedObject object : objects) {
                if (Arrays.stream(object.ordinals()).anyMatch(batch::isPending)) {
                    pending.add(object);
                } else {
                    streams.add(object.draft().discard());
                }
            }
            Iterator<ClosedObject> rest = pending.iterator();
            for (int i = 0; i < Math.min(concurrency, pending.size()); i++) {
                // One object after another; as many of these run as are allowed at once.
                streams.add(Loop.run(
                        () -> rest.hasNext() ? publish(rest.next()).map(true) : Future.succeededFuture(false)));
            }
            return Future.all(streams).mapEmpty();
        }

        private Future<Void> publish(ClosedObject object) {
            return object.draft().publish().recover(e -> {
                Failure failure = Failure.of(e);
                for (int each : object.ordinals()) {
                    verdicts.refuse(each, failure);
                }
                return Future.succeededFuture();
            });
        }

        Future<Void> discardAll() {
            List<Future<Void>> discarded = new ArrayList<>();
            open.values().forEach(object -> discarded.add(object.draft().discard()));
            return Future.join(discarded).mapEmpty();
        }
    }

    /** An object whose bytes are all there. */
    private record ClosedObject(ObjectStore.Draft draft, int[] ordinals) {}

    /** An object that is being encoded. */
    private final class OpenObject {
        private final ObjectStore.Draft draft;
        private final PayloadFormat.Encoder encoder;
        private int[] ordinals = new int[16];
        private int count;

        OpenObject(ObjectStore.Draft draft) throws IOException {
            this.draft = draft;
            this.encoder = format.encoder(draft.stream());
        }

        void add(int ordinal, String id, MessageCursor message) throws IOException {
            encoder.write(id, message);
            if (count == ordinals.length) {
                ordinals = Arrays.copyOf(ordinals, count * 2);
            }
            ordinals[count++] = ordinal;
        }

        ObjectStore.Draft draft() {
            return draft;
        }

        ClosedObject close() throws IOException {
            encoder.close();
            return new ClosedObject(draft, Arrays.copyOf(ordinals, count));
        }
    }
}
