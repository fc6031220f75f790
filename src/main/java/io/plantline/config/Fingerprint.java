package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Short hashes that tell definitions apart. */
final class Fingerprint {
    /** Keys that make a target what it is, whatever its type. */
    private static final Set<String> COMMON = Set.of("type", "event-type", "format", "format-options", "processors");

    private Fingerprint() {}

    static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    static String of(byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Of the identity keys of a target's section, whatever their order in the text. */
    static String of(JsonNode section, Set<String> identity) {
        TreeMap<String, String> parts = new TreeMap<>();
        TreeSet<String> keys = new TreeSet<>(COMMON);
        keys.addAll(identity);
        for (String key : keys) {
            if (section.hasNonNull(key)) {
                parts.put(key, canonical(section.get(key)));
            }
        }
        return of(parts.toString());
    }

    private static String canonical(JsonNode value) {
        if (!value.isObject()) {
            return value.toString();
        }
        TreeMap<String, String> fields = new TreeMap<>();
        value.properties().forEach(field -> fields.put(field.getKey(), canonical(field.getValue())));
        return fields.toString();
    }
}
