package io.plantline.model;

/** 128 bits of a hash that nobody can find two contents for. */
public record Fingerprint(long high, long low) {
    /** Bytes that it takes. */
    public static final int BYTES = 2 * Long.BYTES;
}
