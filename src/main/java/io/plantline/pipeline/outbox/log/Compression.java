package io.plantline.pipeline.outbox.log;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import org.jspecify.annotations.Nullable;

/**
 * What is spent on the batches of a log. 250 sensor values take a sixth of their size with the one and a third with the other,
 * which needs half of the time, and less than that to read them again.
 */
enum Compression {
    /**
     * For what may wait for days: Zstandard. To make a context costs as much as a small batch does, so they are kept: as many
     * as were ever in use at once, which is a few.
     */
    SMALL(1) {
        private static final int LEVEL = 1;
        private static final ConcurrentLinkedQueue<ZstdCompressCtx> COMPRESSORS = new ConcurrentLinkedQueue<>();
        private static final ConcurrentLinkedQueue<ZstdDecompressCtx> DECOMPRESSORS = new ConcurrentLinkedQueue<>();

        @Override
        int bound(int size) {
            return Math.toIntExact(Zstd.compressBound(size));
        }

        @Override
        int compress(byte[] from, int size, byte[] to) {
            ZstdCompressCtx context = COMPRESSORS.poll();
            if (context == null) {
                context = new ZstdCompressCtx().setLevel(LEVEL);
            }
            try {
                return context.compressByteArray(to, 0, to.length, from, 0, size);
            } catch (ZstdException e) {
                return size;
            } finally {
                COMPRESSORS.add(context);
            }
        }

        @Override
        int decompress(byte[] from, int offset, int length, byte[] to) {
            ZstdDecompressCtx context = DECOMPRESSORS.poll();
            if (context == null) {
                context = new ZstdDecompressCtx();
            }
            try {
                return context.decompressByteArray(to, 0, to.length, from, offset, length);
            } catch (ZstdException e) {
                throw new IllegalArgumentException("a batch cannot be decompressed", e);
            } finally {
                DECOMPRESSORS.add(context);
            }
        }
    },
    /** For what leaves soon: LZ4, of the machine's own where the library has it, and of Java elsewhere. */
    FAST(4) {
        private static final LZ4Factory LZ4 = LZ4Factory.fastestInstance();

        @Override
        int bound(int size) {
            return LZ4.fastCompressor().maxCompressedLength(size);
        }

        @Override
        int compress(byte[] from, int size, byte[] to) {
            try {
                return LZ4.fastCompressor().compress(from, 0, size, to, 0, to.length);
            } catch (LZ4Exception e) {
                return size;
            }
        }

        @Override
        int decompress(byte[] from, int offset, int length, byte[] to) {
            try {
                return LZ4.safeDecompressor().decompress(from, offset, length, to, 0);
            } catch (LZ4Exception e) {
                throw new IllegalArgumentException("a batch cannot be decompressed", e);
            }
        }
    };

    private final int bit;

    Compression(int bit) {
        this.bit = bit;
    }

    /** In the byte that says how a batch is kept. */
    int bit() {
        return bit;
    }

    /** How a batch is compressed that has this byte; null if it is not. */
    static @Nullable Compression of(int how) {
        if ((how & SMALL.bit) != 0) {
            return SMALL;
        }
        return (how & FAST.bit) != 0 ? FAST : null;
    }

    /** Bytes that {@code size} bytes take at most. */
    abstract int bound(int size);

    /**
     * Compresses the first {@code size} bytes of {@code from}.
     *
     * @return bytes written to the start of {@code to}, which has room for {@link #bound}; {@code size} if it did not work
     */
    abstract int compress(byte[] from, int size, byte[] to);

    /**
     * Decompresses {@code length} bytes of {@code from}, which must make {@code size}.
     *
     * @throws IllegalArgumentException if they do not
     */
    byte[] decompress(byte[] from, int offset, int length, int size) {
        byte[] bytes = new byte[size];
        int made = decompress(from, offset, length, bytes);
        if (made != size) {
            throw new IllegalArgumentException("a batch of " + size + " bytes has " + made);
        }
        return bytes;
    }

    /**
     * The same, into an array that must be large enough.
     *
     * @return bytes written
     */
    abstract int decompress(byte[] from, int offset, int length, byte[] to);
}
