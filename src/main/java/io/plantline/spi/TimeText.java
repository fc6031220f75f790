package io.plantline.spi;

import java.time.Instant;

/**
 * Times as ISO 8601 in UTC, as {@link Instant#toString} writes them. Messages come many a second, so the part down to the
 * second is made once for all of them. Used by one thread.
 */
public final class TimeText {
    private static final int MICROS = 1_000_000;

    private long second = Long.MIN_VALUE;
    private String upToSecond = "";

    /**
     * The text of a time.
     *
     * @param micros microseconds since 1970
     */
    public String of(long micros) {
        long now = Math.floorDiv(micros, MICROS);
        if (now != second) {
            String text = Instant.ofEpochSecond(now).toString();
            upToSecond = text.substring(0, text.length() - 1);
            second = now;
        }
        int fraction = (int) Math.floorMod(micros, (long) MICROS);
        if (fraction == 0) {
            return upToSecond + "Z";
        }
        boolean millis = fraction % 1_000 == 0;
        char[] digits = new char[millis ? 3 : 6];
        int rest = millis ? fraction / 1_000 : fraction;
        for (int i = digits.length - 1; i >= 0; i--) {
            digits[i] = (char) ('0' + rest % 10);
            rest /= 10;
        }
        return upToSecond + "." + String.valueOf(digits) + "Z";
    }
}
