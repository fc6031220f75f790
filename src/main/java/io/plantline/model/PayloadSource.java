package io.plantline.model;

/** Bytes that can be copied into a batch without an array in between: a network buffer, say. */
@FunctionalInterface
public interface PayloadSource {
    /** Copies the whole payload to {@code target}, from {@code offset} on. */
    void copyTo(byte[] target, int offset);
}
