package io.plantline.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The MQTT 5 properties of a message that a target may want (MQTT 5.0 section 3.3.2.3).
 *
 * @param contentType MIME type of the payload, if the publisher named one
 * @param responseTopic topic for a reply, if there is one
 * @param user user properties in their order; names may repeat
 */
public record MessageProperties(
        @Nullable String contentType, @Nullable String responseTopic, List<Pair> user) {
    /** A message without properties. */
    public static final MessageProperties NONE = new MessageProperties(null, null, List.of());

    /** One user property. */
    public record Pair(String name, String value) {}

    public MessageProperties {
        user = List.copyOf(user);
    }

    /** These properties and one more user property. */
    public MessageProperties with(String name, String value) {
        List<Pair> more = new ArrayList<>(user);
        more.add(new Pair(name, value));
        return new MessageProperties(contentType, responseTopic, more);
    }

    byte[] encode() {
        List<byte[]> parts = new ArrayList<>(2 + 2 * user.size());
        parts.add(bytes(contentType));
        parts.add(bytes(responseTopic));
        for (Pair pair : user) {
            parts.add(bytes(pair.name()));
            parts.add(bytes(pair.value()));
        }
        int size = parts.stream().mapToInt(part -> part.length + 5).sum();
        byte[] encoded = new byte[size];
        int at = 0;
        for (byte[] part : parts) {
            at = Varint.write(encoded, at, part.length);
            System.arraycopy(part, 0, encoded, at, part.length);
            at += part.length;
        }
        return java.util.Arrays.copyOf(encoded, at);
    }

    static MessageProperties decode(byte[] bytes, int offset, int length) {
        Varint.Reader reader = new Varint.Reader(bytes, offset);
        int end = offset + length;
        String contentType = reader.string();
        String responseTopic = reader.string();
        List<Pair> user = new ArrayList<>();
        while (reader.position() < end) {
            user.add(new Pair(reader.string(), reader.string()));
        }
        return new MessageProperties(
                contentType.isEmpty() ? null : contentType, responseTopic.isEmpty() ? null : responseTopic, user);
    }

    private static byte[] bytes(@Nullable String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }
}
