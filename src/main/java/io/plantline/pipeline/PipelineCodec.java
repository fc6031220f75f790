package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.plantline.pipeline.PipelineMessage.ProcessRequest;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.pipeline.PipelineMessage.PullReply;
import io.plantline.pipeline.PipelineMessage.PullRequest;
import io.plantline.spi.Processed;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageCodec;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** By reference on this node; in a compact form, with a version byte, to other nodes. */
public final class PipelineCodec<T extends PipelineMessage> implements MessageCodec<T, T> {
    private static final byte VERSION = 1;
    private static final long INLINE_BYTES = 256 << 10;

    private final Class<T> type;
    private final BiConsumer<WireWriter, T> encoder;
    private final Function<WireReader, T> decoder;

    private PipelineCodec(Class<T> type, BiConsumer<WireWriter, T> encoder, Function<WireReader, T> decoder) {
        this.type = type;
        this.encoder = encoder;
        this.decoder = decoder;
    }

    /** Teaches a bus the whole family; plans that come over it are read over it. */
    public static void registerAll(EventBus bus) {
        register(bus, new PipelineCodec<>(PublishRequest.class, PipelineCodec::write, in -> publishRequest(in, bus)));
        register(bus, new PipelineCodec<>(PublishReply.class, PipelineCodec::write, PipelineCodec::publishReply));
        register(bus, new PipelineCodec<>(PullRequest.class, PipelineCodec::write, PipelineCodec::pullRequest));
        register(bus, new PipelineCodec<>(PullReply.class, PipelineCodec::write, PipelineCodec::pullReply));
        register(bus, new PipelineCodec<>(ProcessRequest.class, PipelineCodec::write, PipelineCodec::processRequest));
        register(bus, new PipelineCodec<>(ProcessReply.class, PipelineCodec::write, PipelineCodec::processReply));
    }

    private static <T extends PipelineMessage> void register(EventBus bus, PipelineCodec<T> codec) {
        bus.registerDefaultCodec(codec.type, codec);
    }

    @Override
    public void encodeToWire(Buffer buffer, T message) {
        buffer.appendByte(VERSION);
        encoder.accept(new WireWriter(buffer), message);
    }

    @Override
    public T decodeFromWire(int position, Buffer buffer) {
        byte version = buffer.getByte(position);
        if (version != VERSION) {
            throw new IllegalStateException("a node speaks version " + version + " of the bus, this one " + VERSION);
        }
        return decoder.apply(new WireReader(buffer, position + 1));
    }

    @Override
    public T transform(T message) {
        return message;
    }

    @Override
    public String name() {
        return "plantline." + type.getSimpleName();
    }

    @Override
    public byte systemCodecID() {
        return -1;
    }

    private static void write(WireWriter out, PublishRequest request) {
        PublishBatch batch = request.batch();
        String lender = request.lender();
        if (lender == null) {
            throw new IllegalStateException("a plan that leaves the node needs somebody who lends it");
        }
        Plan plan = batch.plan();
        out.text(plan.target()).text(plan.fingerprint()).text(plan.outbox());
        out.number(plan.epoch()).number(plan.first()).number(plan.last());
        out.number(plan.lane()).number(plan.count());
        BitSet delivered = new BitSet();
        for (int ordinal = 0; ordinal < batch.count(); ordinal++) {
            delivered.set(ordinal, !batch.isPending(ordinal));
        }
        out.number(batch.count()).number(batch.sizeInBytes()).bytes(delivered.toByteArray());
        out.text(lender);
        // What is small goes along, which saves a round trip.
        List<MessageBatch> along = batch instanceof InlineBatch inline && batch.sizeInBytes() <= INLINE_BYTES
                ? inline.batches()
                : List.of();
        write(out, along);
    }

    private static PublishRequest publishRequest(WireReader in, EventBus bus) {
        Plan plan = new Plan(
                in.text(), in.text(), in.text(), in.number(), in.number(), in.number(), in.integer(), in.integer());
        int count = in.integer();
        long bytes = in.number();
        BitSet delivered = BitSet.valueOf(in.bytes());
        String lender = in.text();
        List<MessageBatch> batches = batches(in);
        return new PublishRequest(
                batches.isEmpty()
                        ? new BorrowedBatch(bus, lender, plan, count, bytes, delivered)
                        : new InlineBatch(plan, batches, delivered),
                lender);
    }

    private static void write(WireWriter out, PublishReply reply) {
        write(out, reply.failure());
        Map<Integer, Failure> refused = reply.verdicts().refused();
        out.number(refused.size());
        refused.forEach((ordinal, failure) -> write(out.number(ordinal), failure));
    }

    private static PublishReply publishReply(WireReader in) {
        Failure failure = failure(in);
        Map<Integer, Failure> refused = new HashMap<>();
        for (int left = in.integer(); left > 0; left--) {
            refused.put(in.integer(), known(failure(in)));
        }
        return new PublishReply(failure, new Verdicts(refused));
    }

    private static void write(WireWriter out, PullRequest request) {
        out.text(request.plan()).number(request.reader()).number(request.piece());
    }

    private static PullRequest pullRequest(WireReader in) {
        return new PullRequest(in.text(), in.number(), in.integer());
    }

    private static void write(WireWriter out, PullReply reply) {
        write(out, reply.failure());
        write(out, reply.batches());
    }

    private static PullReply pullReply(WireReader in) {
        return new PullReply(failure(in), batches(in));
    }

    private static void write(WireWriter out, ProcessRequest request) {
        write(out, request.batch());
    }

    private static ProcessRequest processRequest(WireReader in) {
        return new ProcessRequest(batch(in));
    }

    private static void write(WireWriter out, ProcessReply reply) {
        write(out, reply.failure());
        write(out, reply.processed().output());
        out.number(reply.processed().filtered().size());
        reply.processed().filtered().forEach(out::number);
        out.number(reply.processed().failed().size());
        reply.processed().failed().forEach((sequence, failure) -> write(out.number(sequence), failure));
    }

    private static ProcessReply processReply(WireReader in) {
        Failure failure = failure(in);
        MessageBatch output = batch(in);
        Set<Long> filtered = new HashSet<>();
        for (int left = in.integer(); left > 0; left--) {
            filtered.add(in.number());
        }
        Map<Long, Failure> failed = new HashMap<>();
        for (int left = in.integer(); left > 0; left--) {
            failed.put(in.number(), known(failure(in)));
        }
        return new ProcessReply(failure, new Processed(output, filtered, failed));
    }

    private static void write(WireWriter out, MessageBatch batch) {
        out.number(batch.count()).number(batch.firstSequence()).bytes(batch.toBytes());
    }

    private static void write(WireWriter out, List<MessageBatch> batches) {
        out.number(batches.size());
        batches.forEach(batch -> write(out, batch));
    }

    private static List<MessageBatch> batches(WireReader in) {
        List<MessageBatch> batches = new ArrayList<>();
        for (int left = in.integer(); left > 0; left--) {
            batches.add(batch(in));
        }
        return batches;
    }

    private static MessageBatch batch(WireReader in) {
        int count = in.integer();
        long first = in.number();
        return MessageBatch.of(in.bytes(), count, first);
    }

    private static void write(WireWriter out, @Nullable Failure failure) {
        out.text(failure == null ? "" : failure.kind().name());
        if (failure != null) {
            out.text(failure.code()).text(failure.detail()).number(failure.tried() ? 1 : 0);
        }
    }

    private static @Nullable Failure failure(WireReader in) {
        String kind = in.text();
        return kind.isEmpty() ? null : new Failure(Failure.Kind.valueOf(kind), in.text(), in.text(), in.number() == 1);
    }

    private static Failure known(@Nullable Failure failure) {
        return failure == null ? Failure.retry("unknown", "a refusal without a reason") : failure;
    }

    /** Appends to a buffer. */
    private record WireWriter(Buffer buffer) {
        WireWriter number(long value) {
            buffer.appendLong(value);
            return this;
        }

        WireWriter text(String text) {
            return bytes(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }

        WireWriter bytes(byte[] bytes) {
            buffer.appendInt(bytes.length).appendBytes(bytes);
            return this;
        }
    }

    /** Reads what {@link WireWriter} wrote. */
    private static final class WireReader {
        private final Buffer buffer;
        private int position;

        WireReader(Buffer buffer, int position) {
            this.buffer = buffer;
            this.position = position;
        }

        long number() {
            long value = buffer.getLong(position);
            position += Long.BYTES;
            return value;
        }

        int integer() {
            return Math.toIntExact(number());
        }

        String text() {
            return new String(bytes(), java.nio.charset.StandardCharsets.UTF_8);
        }

        byte[] bytes() {
            int length = buffer.getInt(position);
            position += Integer.BYTES;
            byte[] bytes = buffer.getBytes(position, position + length);
            position += length;
            return bytes;
        }
    }
}
