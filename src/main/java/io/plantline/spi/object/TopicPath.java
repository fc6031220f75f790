package io.plantline.spi.object;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;

/**
 * A topic as part of an object's name. Each level is a path segment; all but {@code [A-Za-z0-9._=-]} is
 * percent-encoded, so that two topics never share a name and none leaves its prefix. Empty levels read {@code %_}; a
 * level beyond 200 characters, and a name beyond 512, end in a hash.
 */
public final class TopicPath {
    private static final int MAX_LENGTH = 512;
    private static final int MAX_LEVEL = 200;
    private static final String EMPTY_LEVEL = "%_";

    private TopicPath() {}

    /** The topic, encoded; different for every topic. */
    public static String encode(String topic) {
        String path = Arrays.stream(topic.split("/", -1)).map(TopicPath::level).collect(Collectors.joining("/"));
        return path.length() <= MAX_LENGTH ? path : shortened(path, MAX_LENGTH, topic);
    }

    /** The reverse of {@link #encode}, for a name that was not shortened. */
    public static String decode(String path) {
        return Arrays.stream(path.split("/", -1)).map(TopicPath::decodeLevel).collect(Collectors.joining("/"));
    }

    private static String level(String level) {
        String encoded = encodeLevel(level);
        return encoded.length() <= MAX_LEVEL ? encoded : shortened(encoded, MAX_LEVEL, level);
    }

    /** Cut, and told apart by a hash; '~' is never made by encoding, so it cannot be the name of another topic. */
    private static String shortened(String encoded, int length, String original) {
        int cut = length - 65;
        int percent = encoded.lastIndexOf('%', cut);
        int end = percent > cut - 3 && percent >= 0 ? percent : cut;
        return encoded.substring(0, end) + "~" + sha256(original);
    }

    private static String encodeLevel(String level) {
        if (level.isEmpty()) {
            return EMPTY_LEVEL;
        }
        boolean dots = level.equals(".") || level.equals("..");
        StringBuilder encoded = new StringBuilder();
        for (byte b : level.getBytes(StandardCharsets.UTF_8)) {
            if (isPlain(b) && !dots) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return encoded.toString();
    }

    private static boolean isPlain(byte b) {
        return (b >= 'A' && b <= 'Z')
                || (b >= 'a' && b <= 'z')
                || (b >= '0' && b <= '9')
                || b == '.'
                || b == '_'
                || b == '='
                || b == '-';
    }

    private static String decodeLevel(String level) {
        if (level.equals(EMPTY_LEVEL)) {
            return "";
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < level.length(); i++) {
            char c = level.charAt(i);
            if (c == '%') {
                bytes.write(HexFormat.fromHexDigits(level, i + 1, i + 3));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
