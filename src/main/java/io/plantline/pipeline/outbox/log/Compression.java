package io.plantline.pipeline.outbox.log;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Zstandard for the batches of a log. To make a context costs as much as a small batch does, so they are kept: as many as
 * were ever in use at once, which is a few.
 */
final class Compression {
    private static final ConcurrentLinkedQueue<ZstdCompressCtx> COMPRESSORS = new ConcurrentLinkedQueue<>();
    private static final ConcurrentLinkedQueue<ZstdDecompressCtx> DECOMPRESSORS = new ConcurrentLinkedQueue<>();

    private Compression() {}

    /**
     * What is spent on a batch. A hundred sensor values take a quarter of their size with the one and two fifths with the
     * other, which needs three quarters of the time, and half of it to read them again.
     */
    enum Effort {
        /** For what may wait for days. */
        SMALL(1),
        /** For what leaves soon. */
        FAST(-1);

        private final int level;

        Effort(int level) {
            this.level = level;
        }
    }

    /** Bytes that {@code size} bytes take at most. */
    static int bound(int size) {
        return Math.toIntExact(Zstd.compressBound(size));
    }

    /**
     * Compresses the first {@code size} bytes of {@code from}.
     *
     * @return bytes written to the start of {@code to}, which has room for {@link #bound}; {@code size} if it did not work
     */
    static int compress(Effort effort, byte[] from, int size, byte[] to) {
        ZstdCompressCtx context = COMPRESSORS.poll();
        if (context == null) {
            context = new ZstdCompressCtx();
        }
        try {
            return context.setLevel(effort.level).compressByteArray(to, 0, to.length, from, 0, size);
        } catch (ZstdException e) {
            return size;
        } finally {
            COMPRESSORS.add(context);
        }
    }

    /**
     * Decompresses {@code length} bytes of {@code from}, which must make {@code size}.
     *
     * @throws IllegalArgumentException if they do not
     */
    static byte[] decompress(byte[] from, int offset, int length, int size) {
        ZstdDecompressCtx context = DECOMPRESSORS.poll();
        if (context == null) {
            context = new ZstdDecompressCtx();
        }
        try {
            byte[] bytes = new byte[size];
            int made = context.decompressByteArray(bytes, 0, size, from, offset, length);
            if (made != size) {
                throw new IllegalArgumentException("a batch of " + size + " bytes has " + made);
            }
            return bytes;
        } catch (ZstdException e) {
            throw new IllegalArgumentException("a batch cannot be decompressed", e);
        } finally {
            DECOMPRESSORS.add(context);
        }
    }
}
