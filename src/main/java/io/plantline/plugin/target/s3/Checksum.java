package io.plantline.plugin.target.s3;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** Of what is gathered for a request: without one a store keeps what arrived, whatever was sent. */
final class Checksum {
    private final @Nullable MessageDigest md5;
    private final CRC32 crc32 = new CRC32();

    /**
     * A checksum of nothing yet.
     *
     * @param everywhere of the kind that every store knows; else of the kind that a store keeps
     */
    Checksum(boolean everywhere) {
        this.md5 = everywhere ? md5() : null;
    }

    private static MessageDigest md5() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has it", e);
        }
    }

    /**
     * In base64, as a request carries it.
     *
     * @param md5 for Content-MD5; null: the other
     * @param crc32 for x-amz-checksum-crc32; null: the other
     */
    record Value(@Nullable String md5, @Nullable String crc32) {}

    void update(byte[] some, int from, int length) {
        if (md5 == null) {
            crc32.update(some, from, length);
        } else {
            md5.update(some, from, length);
        }
    }

    /** Of what came since the last time. */
    Value take() {
        if (md5 != null) {
            return new Value(encode(md5.digest()), null);
        }
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES)
                .putInt((int) crc32.getValue())
                .array();
        crc32.reset();
        return new Value(null, encode(bytes));
    }

    private static String encode(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
