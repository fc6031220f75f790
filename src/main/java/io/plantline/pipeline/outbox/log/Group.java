package io.plantline.pipeline.outbox.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The unit of a write: all records that waited, with one header, written and forced together.
 *
 * <pre>
 *  0  magic        4 bytes
 *  4  header CRC   4   CRC32C of bytes 8 to 48
 *  8  segment      8   number of the segment: bytes of a recycled file carry another one
 * 16  position     8   of this header in the segment
 * 24  durable      8   position known durable when this was written: damage below it is corruption, above it the end
 * 32  body length  4
 * 36  body CRC     4   CRC32C of the body
 * 40  records      4
 * 44  epoch        4   start of the program that wrote it: no two starts share one
 * 48  body
 * </pre>
 *
 * Groups start at multiples of {@value #ALIGNMENT} bytes, so that the next one is found behind damage.
 */
record Group(long segment, long position, long durable, int bodyLength, int bodyCrc, int records, int epoch) {
    static final int HEADER = 48;
    static final int ALIGNMENT = 64;
    private static final int MAGIC = 0x504C4731;

    /** Where the next group starts. */
    long next() {
        return aligned(position + HEADER + bodyLength);
    }

    static long aligned(long position) {
        return (position + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * Writes the header of a group whose body follows it in {@code buffer}; the buffer starts with the header. All before
     * it is durable, because a group is written when the one before is forced.
     */
    static void seal(ByteBuffer buffer, long segment, long position, int records, int epoch) {
        int end = buffer.position();
        CRC32C crc = new CRC32C();
        crc.update(buffer.duplicate().position(HEADER).limit(end));
        buffer.putInt(0, MAGIC)
                .putLong(8, segment)
                .putLong(16, position)
                .putLong(24, position)
                .putInt(32, end - HEADER)
                .putInt(36, (int) crc.getValue())
                .putInt(40, records)
                .putInt(44, epoch);
        buffer.putInt(4, headerCrc(buffer, 0));
    }

    /** Reads a header at {@code offset}, or null if there is none that belongs there. */
    static @Nullable Group read(ByteBuffer buffer, int offset, long segment, long position) {
        if (buffer.limit() - offset < HEADER
                || !isMarked(buffer, offset)
                || !claims(buffer, offset, segment, position)
                || buffer.getInt(offset + 4) != headerCrc(buffer, offset)) {
            return null;
        }
        int length = buffer.getInt(offset + 32);
        return length < 0
                ? null
                : new Group(
                        segment,
                        position,
                        buffer.getLong(offset + 24),
                        length,
                        buffer.getInt(offset + 36),
                        buffer.getInt(offset + 40),
                        buffer.getInt(offset + 44));
    }

    /** Whether bytes begin as a header does. */
    static boolean isMarked(ByteBuffer buffer, int offset) {
        return buffer.getInt(offset) == MAGIC;
    }

    /** Whether they say that they belong there, if they are a header. */
    static boolean claims(ByteBuffer buffer, int offset, long segment, long position) {
        return buffer.getLong(offset + 8) == segment && buffer.getLong(offset + 16) == position;
    }

    /** Whether these are the bytes that were written. */
    boolean matches(ByteBuffer body) {
        CRC32C crc = new CRC32C();
        crc.update(body.duplicate());
        return (int) crc.getValue() == bodyCrc;
    }

    private static int headerCrc(ByteBuffer buffer, int offset) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.duplicate().limit(offset + HEADER).position(offset + 8));
        return (int) crc.getValue();
    }
}
