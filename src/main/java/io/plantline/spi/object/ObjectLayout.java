package io.plantline.spi.object;

import io.plantline.model.MessageCursor;
import io.plantline.model.Plan;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.Settings;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a plan is split into objects and what they are called. A pure function of the plan's records and these settings: a retry makes the
 * same objects with the same names.
 *
 * <pre>
 *  key-prefix / partition / object-prefix - outbox - epoch - first - last - part . extension
 * </pre>
 *
 * @param keyPrefix without a slash at its end; can be empty
 * @param objectPrefix start of the last part of the name
 * @param partition template of {@code {topic}}, {@code {date}} and {@code {hour}} (received-at, UTC)
 * @param single an object per message
 */
public record ObjectLayout(String keyPrefix, String objectPrefix, String partition, boolean single) {
    private static final long HOUR_MICROS = 3_600_000_000L;
    private static final Pattern VARIABLE = Pattern.compile("\\{([^}]*)}");
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter HOUR =
            DateTimeFormatter.ofPattern("HH").withZone(ZoneOffset.UTC);

    /** Properties that every section with a layout has, for its schema. */
    public static final String SCHEMA_PROPERTIES = """
            "key-prefix": {"type": "string", "maxLength": 200, "description": "Every name starts with it."},
            "object-prefix": {"type": "string", "pattern": "^[A-Za-z0-9._=-]{0,60}$",
              "description": "the start of the last part of a name: letters, digits, '.', '_', '=' and '-'"},
            "partition": {"type": "string", "maxLength": 100,
              "description": "Folders from {topic}, {date} and {hour}. Default: {topic}/dt={date}/hour={hour} (single), dt={date}/hour={hour} (batch)."}
            """;

    /** Reads the layout of a section. */
    public static ObjectLayout of(Settings settings) {
        boolean single = settings.string("event-type", "single").equals("single");
        String template =
                settings.string("partition", single ? "{topic}/dt={date}/hour={hour}" : "dt={date}/hour={hour}");
        Matcher variables = VARIABLE.matcher(template);
        while (variables.find()) {
            if (!List.of("topic", "date", "hour").contains(variables.group(1))) {
                settings.error(
                        "partition",
                        "there is no variable {" + variables.group(1) + "}",
                        "allowed: {topic}, {date}, {hour}");
            }
        }
        String prefix = settings.string("key-prefix", "");
        plainPath(settings, "key-prefix", prefix);
        plainPath(settings, "partition", template);
        return new ObjectLayout(
                prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix,
                settings.string("object-prefix", "messages"),
                template,
                single);
    }

    private static void plainPath(Settings settings, String key, String path) {
        if (path.startsWith("/")
                || ("/" + path + "/").contains("/../")
                || path.contains("//")
                || path.indexOf('\0') >= 0) {
            settings.error(key, "\"" + path + "\" is not a plain path", "write it like a/b");
        }
    }

    String key(Plan plan, MessageCursor message, long first, long last, int part, PayloadFormat format) {
        StringBuilder key = new StringBuilder();
        if (!keyPrefix.isEmpty()) {
            key.append(keyPrefix).append('/');
        }
        String folders = partitionOf(message);
        if (!folders.isEmpty()) {
            key.append(folders).append('/');
        }
        return key.append(objectPrefix)
                .append('-')
                .append(plan.idPrefix())
                .append('-')
                .append(Plan.padded(first))
                .append('-')
                .append(Plan.padded(last))
                .append('-')
                .append(part)
                .append('.')
                .append(format.extension())
                .toString();
    }

    /** Folders of messages, each made once: they differ by the hour, and by the topic where the template names it. Used by one thread. */
    final class Partitions {
        private final boolean byTopic = partition.contains("{topic}");
        private final Map<String, String> byKey = new HashMap<>();
        private long hour = Long.MIN_VALUE;
        private String last = "";

        String of(MessageCursor message) {
            long now = Math.floorDiv(message.receivedAtMicros(), HOUR_MICROS);
            if (now != hour) {
                hour = now;
                byKey.clear();
                last = byTopic ? "" : partitionOf(message);
            }
            return byTopic ? byKey.computeIfAbsent(message.topic(), topic -> partitionOf(message)) : last;
        }
    }

    /** The folders of a message: messages with the same are in one object. */
    String partitionOf(MessageCursor message) {
        Instant time = Instant.ofEpochSecond(
                Math.floorDiv(message.receivedAtMicros(), 1_000_000L),
                Math.floorMod(message.receivedAtMicros(), 1_000_000L) * 1_000);
        return VARIABLE.matcher(partition)
                .replaceAll(variable -> Matcher.quoteReplacement(
                        switch (variable.group(1)) {
                            case "topic" -> TopicPath.encode(message.topic());
                            case "date" -> DATE.format(time);
                            default -> HOUR.format(time);
                        }));
    }
}
