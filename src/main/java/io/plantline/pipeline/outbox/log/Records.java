package io.plantline.pipeline.outbox.log;

import io.plantline.model.Fingerprint;
import io.plantline.model.MessageBatch;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Discarded;
import io.plantline.pipeline.outbox.log.LogRecord.Dropped;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Origin;
import io.plantline.pipeline.outbox.log.LogRecord.Planned;
import io.plantline.pipeline.outbox.log.LogRecord.Released;
import io.plantline.pipeline.outbox.log.LogRecord.Snapshot;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records to bytes and back: kind, length, content. */
final class Records {
    /** With the bit of a {@link Compression}, in the byte that says how a batch is kept. */
    private static final byte WITH_ORIGIN = 2;

    /** Marks a number of packet identifiers behind which the contents of their messages follow. */
    private static final int WITH_CONTENTS = 1 << 31;

    private static final int COMPRESS_FROM = 1024;
    private static final int STORED_HEAD = 41;

    private Records() {}

    /** A buffer for one group. */
    static final class Writer {
        private ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        private byte[] scratch = new byte[1 << 16];
        private Compression compression = Compression.FAST;

        /** How batches are compressed from now on. */
        void compress(Compression how) {
            compression = how;
        }

        /** Empties the buffer and leaves room for the header. */
        void begin() {
            buffer.clear().position(Group.HEADER);
        }

        /** Fills up to a multiple of so many bytes; what is behind the last record is not read. */
        void pad(int multiple) {
            int padding = (multiple - buffer.position() % multiple) % multiple;
            ensure(padding);
            buffer.put(new byte[padding]);
        }

        ByteBuffer buffer() {
            return buffer;
        }

        int size() {
            return buffer.position();
        }

        void add(LogRecord record) {
            int start = buffer.position();
            ensure(5);
            buffer.put(record.kind()).putInt(0);
            if (record instanceof Stored stored) {
                stored(stored);
            } else if (record instanceof Planned planned) {
                ensure(40);
                buffer.putInt(planned.lane())
                        .putInt(planned.epoch())
                        .putLong(planned.first())
                        .putLong(planned.last())
                        .putInt(planned.count());
            } else if (record instanceof Committed committed) {
                ensure(40);
                buffer.putInt(committed.lane())
                        .putLong(committed.last())
                        .putLong(committed.delivered())
                        .putLong(committed.filtered())
                        .putLong(committed.deadLettered());
            } else if (record instanceof Discarded discarded) {
                ensure(24);
                buffer.putInt(discarded.lane())
                        .put((byte) discarded.loss().code())
                        .putLong(discarded.count())
                        .putLong(discarded.next());
            } else if (record instanceof Dropped dropped) {
                ensure(37);
                buffer.putInt(dropped.lane())
                        .put((byte) dropped.loss().code())
                        .putLong(dropped.keptEnd())
                        .putLong(dropped.count())
                        .putLong(dropped.next())
                        .putLong(dropped.ordinal());
            } else if (record instanceof Released released) {
                ensure(12 + 2 * released.identifiers().length);
                buffer.putLong(released.generation());
                buffer.putInt(released.identifiers().length);
                packetIds(released.identifiers());
            } else if (record instanceof Snapshot snapshot) {
                ensure(16 + snapshot.state().remaining());
                buffer.putLong(snapshot.previous()).putLong(snapshot.previousEnd());
                buffer.put(snapshot.state().duplicate());
            }
            buffer.putInt(start + 1, buffer.position() - start - 5);
        }

        private void stored(Stored stored) {
            MessageBatch batch = stored.batch();
            int size = batch.sizeInBytes();
            Identifiers identifiers = stored.identifiers();
            int[] packetIds = identifiers.packetIds();
            List<Fingerprint> contents = identifiers.contents();
            ensure(STORED_HEAD
                    + 4
                    + Short.BYTES * packetIds.length
                    + Fingerprint.BYTES * contents.size()
                    + Origin.BYTES
                    + size);
            buffer.putInt(stored.lane())
                    .putLong(stored.ordinal())
                    .putLong(stored.first())
                    .putInt(batch.count())
                    .putLong(identifiers.generation())
                    .putInt(size);
            buffer.putInt(packetIds.length | (contents.isEmpty() ? 0 : WITH_CONTENTS));
            packetIds(packetIds);
            contents.forEach(content -> buffer.putLong(content.high()).putLong(content.low()));
            int compressed = compress(batch);
            Origin origin = stored.origin();
            buffer.put((byte) ((compressed > 0 ? compression.bit() : 0) | (origin == null ? 0 : WITH_ORIGIN)));
            if (origin != null) {
                origin.encode(buffer);
            }
            if (compressed > 0) {
                buffer.put(scratch, 0, compressed);
            } else {
                buffer.put(batch.array(), 0, size);
            }
        }

        /** Bytes in the scratch array, or 0 if compression is not worth it. */
        private int compress(MessageBatch batch) {
            int size = batch.sizeInBytes();
            if (size < COMPRESS_FROM) {
                return 0;
            }
            int bound = compression.bound(size);
            if (scratch.length < bound) {
                scratch = new byte[bound];
            }
            int compressed = compression.compress(batch.array(), size, scratch);
            return compressed > size - size / 8 ? 0 : compressed;
        }

        private void packetIds(int[] packetIds) {
            for (int packetId : packetIds) {
                buffer.putShort((short) packetId);
            }
        }

        private void ensure(int more) {
            if (buffer.remaining() < more) {
                long size = Math.max(buffer.capacity() * 2L, (long) buffer.position() + more + 1024);
                ByteBuffer larger = ByteBuffer.allocate((int) Math.min(Integer.MAX_VALUE - 64, size));
                buffer.flip();
                larger.put(buffer);
                buffer = larger;
            }
        }

        /** Gives back what one large group needed. */
        void shrink() {
            if (buffer.capacity() > 8 << 20) {
                buffer = ByteBuffer.allocate(1 << 16);
                scratch = new byte[1 << 16];
            }
        }
    }

    /** What a reader makes of each record. */
    interface Visitor {
        /** Whether the messages of this lane are wanted; to decode others would cost for nothing. */
        default boolean wants(int lane) {
            return true;
        }

        void record(LogRecord record);
    }

    /**
     * Reads the records of a body.
     *
     * @throws IllegalArgumentException if the body is none, although its checksum fits
     */
    static void read(ByteBuffer body, int count, Visitor visitor) {
        ByteBuffer in = body.duplicate().order(ByteOrder.BIG_ENDIAN);
        try {
            for (int i = 0; i < count; i++) {
                byte kind = in.get();
                int length = in.getInt();
                int end = in.position() + length;
                LogRecord record = record(kind, in, end, visitor);
                if (record != null) {
                    visitor.record(record);
                }
                in.position(end);
            }
        } catch (java.nio.BufferUnderflowException e) {
            throw new IllegalArgumentException("a record ends before it should", e);
        }
    }

    private static @Nullable LogRecord record(byte kind, ByteBuffer in, int end, Visitor visitor) {
        return switch (kind) {
            case Stored.KIND -> stored(in, end, visitor);
            case Planned.KIND -> new Planned(in.getInt(), in.getInt(), in.getLong(), in.getLong(), in.getInt());
            case Committed.KIND -> new Committed(in.getInt(), in.getLong(), in.getLong(), in.getLong(), in.getLong());
            case Discarded.KIND -> new Discarded(in.getInt(), Loss.of(in.get()), in.getLong(), in.getLong());
            case Dropped.KIND ->
                new Dropped(in.getInt(), Loss.of(in.get()), in.getLong(), in.getLong(), in.getLong(), in.getLong());
            case Released.KIND -> new Released(in.getLong(), packetIds(in, in.getInt()));
            case Snapshot.KIND ->
                new Snapshot(
                        in.getLong(), in.getLong(), in.duplicate().limit(end).slice());
            default -> throw new IllegalArgumentException("a record of an unknown kind: " + kind);
        };
    }

    private static @Nullable Stored stored(ByteBuffer in, int end, Visitor visitor) {
        int lane = in.getInt();
        if (!visitor.wants(lane)) {
            return null;
        }
        long ordinal = in.getLong();
        long first = in.getLong();
        int count = in.getInt();
        long generation = in.getLong();
        int size = in.getInt();
        int identified = in.getInt();
        int[] packetIds = packetIds(in, identified & ~WITH_CONTENTS);
        List<Fingerprint> contents = new ArrayList<>();
        for (int left = identified < 0 ? packetIds.length : 0; left > 0; left--) {
            contents.add(new Fingerprint(in.getLong(), in.getLong()));
        }
        byte how = in.get();
        Origin origin = (how & WITH_ORIGIN) != 0 ? Origin.decode(in) : null;
        int length = end - in.position();
        byte[] bytes;
        Compression compression = Compression.of(how);
        if (compression != null) {
            bytes = compression.decompress(in.array(), in.arrayOffset() + in.position(), length, size);
        } else {
            bytes = new byte[length];
            in.get(bytes);
        }
        Identifiers identifiers = new Identifiers(generation, packetIds, contents);
        return new Stored(lane, ordinal, MessageBatch.of(bytes, count, first), identifiers, origin);
    }

    private static int[] packetIds(ByteBuffer in, int count) {
        int[] packetIds = new int[count];
        for (int i = 0; i < count; i++) {
            packetIds[i] = in.getShort() & 0xFFFF;
        }
        return packetIds;
    }
}
