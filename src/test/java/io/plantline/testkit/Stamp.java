package io.plantline.testkit;

import java.nio.charset.StandardCharsets;

/**
 * The payload of a test message: which one it is, and a filler made from that, so that a verifier can tell a changed
 * payload from a right one.
 */
public record Stamp(int topic, int sequence, long sentNanos) {
    private static final String TAIL = "\"unit\":\"degC\",\"site\":\"com1/plant1\",\"quality\":\"GOOD\",\"tag\":\"";

    /** JSON of {@code size} bytes, or a little more. */
    public byte[] payload(int size) {
        StringBuilder json = new StringBuilder(size + 16);
        json.append("{\"t\":")
                .append(topic)
                .append(",\"s\":")
                .append(sequence)
                .append(",\"n\":")
                .append(sentNanos);
        json.append(',').append(TAIL);
        int letter = topic * 31 + sequence;
        while (json.length() < size - 2) {
            json.append((char) ('a' + Math.floorMod(letter++, 26)));
        }
        return json.append("\"}").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The stamp in a payload; throws if the payload is not exactly what that stamp makes. */
    public static Stamp of(byte[] payload) {
        String json = new String(payload, StandardCharsets.UTF_8);
        Stamp stamp = new Stamp((int) number(json, "\"t\":"), (int) number(json, "\"s\":"), number(json, "\"n\":"));
        if (!java.util.Arrays.equals(payload, stamp.payload(payload.length))) {
            throw new IllegalStateException("altered: " + json);
        }
        return stamp;
    }

    private static long number(String json, String key) {
        int at = json.indexOf(key) + key.length();
        int end = at;
        while (end < json.length() && (Character.isDigit(json.charAt(end)) || json.charAt(end) == '-')) {
            end++;
        }
        return Long.parseLong(json.substring(at, end));
    }
}
