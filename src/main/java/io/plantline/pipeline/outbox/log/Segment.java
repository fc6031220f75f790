package io.plantline.pipeline.outbox.log;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * One file of a log.
 *
 * @param number of the segment; each is used once, a recycled file gets a new one
 * @param base no message in it has a smaller sequence
 */
record Segment(long number, long base) {
    private static final String SUFFIX = ".log";

    String name() {
        return HexFormat.of().toHexDigits(number) + "-" + HexFormat.of().toHexDigits(base) + SUFFIX;
    }

    static @Nullable Segment of(String name) {
        if (name.length() != 33 + SUFFIX.length() || !name.endsWith(SUFFIX) || name.charAt(16) != '-') {
            return null;
        }
        try {
            return new Segment(HexFormat.fromHexDigitsToLong(name, 0, 16), HexFormat.fromHexDigitsToLong(name, 17, 33));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
