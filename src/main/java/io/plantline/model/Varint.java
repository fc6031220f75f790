package io.plantline.model;

import java.nio.charset.StandardCharsets;

/** Unsigned LEB128 integers, the only number form inside a batch. */
final class Varint {
    private Varint() {}

    /** Writes {@code value} at {@code at} and returns the position behind it. */
    static int write(byte[] target, int at, long value) {
        long rest = value;
        int position = at;
        while ((rest & ~0x7FL) != 0) {
            target[position++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        target[position++] = (byte) rest;
        return position;
    }

    /** Small negative numbers stay short. */
    static long zigzag(long value) {
        return (value << 1) ^ (value >> 63);
    }

    static long unzigzag(long value) {
        return (value >>> 1) ^ -(value & 1);
    }

    /** Reads forward through an array. */
    static final class Reader {
        private final byte[] bytes;
        private int position;

        Reader(byte[] bytes, int position) {
            this.bytes = bytes;
            this.position = position;
        }

        int position() {
            return position;
        }

        void skip(int count) {
            position += count;
        }

        int unsignedByte() {
            return bytes[position++] & 0xFF;
        }

        int readInt() {
            return Math.toIntExact(readLong());
        }

        long readLong() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte next = bytes[position++];
                value |= (long) (next & 0x7F) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new IllegalArgumentException("a number of more than 64 bits");
        }

        String string() {
            int length = readInt();
            String text = new String(bytes, position, length, StandardCharsets.UTF_8);
            position += length;
            return text;
        }
    }
}
