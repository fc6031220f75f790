package io.plantline.plugin.target.kafka;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Text with {@code {topic}}, the MQTT topic, and {@code {1}}, {@code {2}}, ..., its levels. A level that is not there is empty. */
record Template(String text) {
    private static final Pattern VARIABLE = Pattern.compile("\\{([^{}]*)}");
    private static final Pattern KNOWN = Pattern.compile("topic|[1-9][0-9]?");

    /** What is wrong with a template; null: nothing. */
    static @Nullable String problemWith(String text) {
        Matcher variables = VARIABLE.matcher(text);
        while (variables.find()) {
            if (!KNOWN.matcher(variables.group(1)).matches()) {
                return "there is no variable {" + variables.group(1) + "}";
            }
        }
        return null;
    }

    String fill(String topic) {
        if (text.equals("{topic}")) {
            return topic;
        }
        String[] levels = topic.split("/", -1);
        return VARIABLE.matcher(text).replaceAll(variable -> {
            String name = variable.group(1);
            if (name.equals("topic")) {
                return Matcher.quoteReplacement(topic);
            }
            int level = Integer.parseInt(name);
            return level > levels.length ? "" : Matcher.quoteReplacement(levels[level - 1]);
        });
    }
}
