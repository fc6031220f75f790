package io.plantline.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An MQTT topic filter (MQTT 5.0 section 4.7), perhaps of a shared subscription (section 4.8.2).
 *
 * @param text as it is sent in SUBSCRIBE
 * @param share the share group, or null
 * @param pattern the filter without {@code $share/group/}
 */
public record TopicFilter(String text, @Nullable String share, String pattern) {
    /** Longest filter accepted: far beyond any real one, far below what costs time to match. */
    public static final int MAX_LENGTH = 512;

    private static final String SHARE = "$share/";

    /** What is wrong with {@code text} as a filter, or null. Takes time linear in its length. */
    public static @Nullable String problemWith(String text) {
        if (text.isEmpty()) {
            return "a topic filter has at least one character";
        }
        if (text.length() > MAX_LENGTH) {
            return "a topic filter has at most " + MAX_LENGTH + " characters";
        }
        if (text.indexOf('\0') >= 0) {
            return "a topic filter has no null character";
        }
        String pattern = text;
        if (text.startsWith(SHARE)) {
            int slash = text.indexOf('/', SHARE.length());
            if (slash < 0 || slash == SHARE.length() || slash == text.length() - 1) {
                return "a shared subscription reads $share/<group>/<filter>";
            }
            String group = text.substring(SHARE.length(), slash);
            if (group.indexOf('+') >= 0 || group.indexOf('#') >= 0) {
                return "a share group has no wildcard";
            }
            pattern = text.substring(slash + 1);
        }
        List<String> levels = levels(pattern);
        for (int i = 0; i < levels.size(); i++) {
            String level = levels.get(i);
            if (level.indexOf('+') >= 0 && level.length() > 1) {
                return "+ stands alone in its level, but level " + (i + 1) + " is \"" + level + "\"";
            }
            if (level.indexOf('#') >= 0 && (level.length() > 1 || i < levels.size() - 1)) {
                return "# stands alone in the last level, but level " + (i + 1) + " is \"" + level + "\"";
            }
        }
        return null;
    }

    /** Parses a filter; throws {@link IllegalArgumentException} with what {@link #problemWith} says. */
    public static TopicFilter of(String text) {
        String problem = problemWith(text);
        if (problem != null) {
            throw new IllegalArgumentException(problem);
        }
        if (!text.startsWith(SHARE)) {
            return new TopicFilter(text, null, text);
        }
        int slash = text.indexOf('/', SHARE.length());
        return new TopicFilter(text, text.substring(SHARE.length(), slash), text.substring(slash + 1));
    }

    /** Whether the filter matches {@code topic}; wildcards at the start do not match {@code $} topics. */
    public boolean matches(String topic) {
        List<String> pattern = levels(this.pattern);
        List<String> levels = levels(topic);
        if (topic.startsWith("$")
                && (pattern.get(0).equals("+") || pattern.get(0).equals("#"))) {
            return false;
        }
        for (int i = 0; i < pattern.size(); i++) {
            String expected = pattern.get(i);
            if (expected.equals("#")) {
                return true;
            }
            if (i >= levels.size() || !(expected.equals("+") || expected.equals(levels.get(i)))) {
                return false;
            }
        }
        return pattern.size() == levels.size();
    }

    /** Whether some topic matches both filters. */
    public boolean overlaps(TopicFilter other) {
        List<String> a = levels(pattern);
        List<String> b = levels(other.pattern);
        for (int i = 0; ; i++) {
            boolean aEnds = i >= a.size();
            boolean bEnds = i >= b.size();
            if (aEnds || bEnds) {
                return (aEnds && bEnds)
                        || (aEnds && b.get(i).equals("#"))
                        || (bEnds && a.get(i).equals("#"));
            }
            String left = a.get(i);
            String right = b.get(i);
            if (left.equals("#") || right.equals("#")) {
                return i > 0 || !(left.startsWith("$") || right.startsWith("$"));
            }
            boolean wild = left.equals("+") || right.equals("+");
            if (wild && i == 0 && (left.startsWith("$") || right.startsWith("$"))) {
                return false;
            }
            if (!wild && !left.equals(right)) {
                return false;
            }
        }
    }

    /** Whether this is a plain topic, without a wildcard. */
    public boolean isLiteral() {
        return pattern.indexOf('+') < 0 && pattern.indexOf('#') < 0;
    }

    /** The levels of a topic or a filter; an empty level counts. */
    public static List<String> levels(String topic) {
        return List.of(topic.split("/", -1));
    }

    @Override
    public String toString() {
        return text;
    }
}
