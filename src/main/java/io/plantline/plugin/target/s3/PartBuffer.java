package io.plantline.plugin.target.s3;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.core.async.AsyncRequestBody;

/** Bytes of a part, or of a small object: never copied, neither when there are more of them nor when they are sent. */
final class PartBuffer {
    private static final int FIRST_CHUNK = 4 << 10;
    private static final int LARGEST_CHUNK = 256 << 10;

    private final List<ByteBuffer> full = new ArrayList<>();
    private ByteBuffer last = ByteBuffer.allocate(FIRST_CHUNK);
    private int size;

    void write(byte[] some, int offset, int length) {
        int from = offset;
        int left = length;
        while (left > 0) {
            if (!last.hasRemaining()) {
                full.add(last.flip());
                last = ByteBuffer.allocate(Math.min(LARGEST_CHUNK, last.capacity() * 2));
            }
            int now = Math.min(left, last.remaining());
            last.put(some, from, now);
            from += now;
            left -= now;
        }
        size += length;
    }

    int size() {
        return size;
    }

    /** All that was written; nothing may be added any more. */
    AsyncRequestBody body() {
        full.add(last.flip());
        return AsyncRequestBody.fromByteBuffersUnsafe(full.toArray(ByteBuffer[]::new));
    }
}
