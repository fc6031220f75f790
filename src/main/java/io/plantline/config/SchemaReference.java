package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The schema as a page for readers: a table of keys for each section, plug-ins included. */
public final class SchemaReference {
    private static final String[] FIRST = {"broker", "subscription"};

    private final JsonNode root;
    private final StringBuilder page = new StringBuilder();

    public SchemaReference(ConfigSchema schema) {
        root = schema.root();
    }

    /** The page in Markdown. */
    public String markdown() {
        page.append("# Configuration reference\n\n")
                .append("Every key of the document, printed by `plantline schema --markdown` from the same schema that")
                .append(" checks it.\nWhat it is for is told in [configuration.md](configuration.md).\n");
        JsonNode definitions = root.get("$defs");
        for (String name : List.of("duration", "size", "proxy")) {
            page.append("\n* ")
                    .append(name)
                    .append(": ")
                    .append(definitions.get(name).get("description").asText());
        }
        page.append("\n");
        section("The document", root);
        for (String name : FIRST) {
            section(title(name), definitions.get(name));
        }
        for (String kind : List.of("target", "processor", "credential")) {
            for (String name : sorted(definitions)) {
                if (name.startsWith(kind + "-")) {
                    section(title(name), definitions.get(name));
                }
            }
        }
        section("cluster", definitions.get("cluster"));
        section("tls", definitions.get("tls"));
        formats(definitions);
        return page.toString();
    }

    private static List<String> sorted(JsonNode object) {
        TreeSet<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return List.copyOf(names);
    }

    private static String title(String definition) {
        int dash = definition.indexOf('-');
        return dash < 0
                ? (definition.equals("broker") ? "mqtt-broker" : definition)
                : definition.substring(0, dash) + " of type `" + definition.substring(dash + 1) + "`";
    }

    private void section(String title, JsonNode schema) {
        page.append("\n## ").append(title).append("\n\n");
        if (schema.has("description") && !schema.has("$defs")) {
            page.append(schema.get("description").asText()).append("\n\n");
        }
        List<String> required = new ArrayList<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        page.append("| key | value | default | |\n|---|---|---|---|\n");
        rows("", schema.path("properties"), required);
    }

    private void rows(String prefix, JsonNode properties, List<String> required) {
        for (Map.Entry<String, JsonNode> entry : properties.properties()) {
            JsonNode schema = entry.getValue();
            String key = prefix + entry.getKey();
            String otherwise = schema.has("default")
                    ? "`" + schema.get("default").toString().replace("\"", "") + "`"
                    : required.contains(entry.getKey()) || schema.has("const") ? "required" : "";
            cell("`" + key + "`");
            cell(value(schema));
            cell(otherwise);
            page.append("| ")
                    .append(escape(schema.path("description").asText()))
                    .append(" |\n");
            if (schema.has("properties")) {
                List<String> inner = new ArrayList<>();
                schema.path("required").forEach(name -> inner.add(name.asText()));
                rows(key + ".", schema.get("properties"), inner);
            }
        }
    }

    private void cell(String text) {
        page.append("| ").append(escape(text)).append(' ');
    }

    private static String escape(String text) {
        return text.replace("|", "\\|");
    }

    private static String value(JsonNode schema) {
        if (schema.has("const")) {
            return "`" + schema.get("const").asText() + "`";
        }
        if (schema.has("enum")) {
            List<String> values = new ArrayList<>();
            schema.get("enum").forEach(value -> values.add("`" + value.asText() + "`"));
            return String.join(", ", values);
        }
        if (schema.has("$ref")) {
            String name = schema.get("$ref").asText().replaceFirst(".*/", "");
            return name.equals("broker") ? "mqtt-broker" : name;
        }
        String type = schema.path("type").asText("");
        if (schema.has("minimum") && schema.has("maximum")) {
            return type + ", " + schema.get("minimum") + " to " + schema.get("maximum");
        }
        if (type.equals("array")) {
            return "list of " + value(schema.path("items"));
        }
        if (schema.path("additionalProperties").isObject()) {
            return "object of " + value(schema.get("additionalProperties"));
        }
        return type;
    }

    /** The options of each format, which are the same in every target that takes one. */
    private void formats(JsonNode definitions) {
        for (String name : sorted(definitions)) {
            JsonNode cases = definitions.get(name).path("allOf");
            if (name.startsWith("target-") && !cases.isEmpty()) {
                for (JsonNode choice : cases) {
                    String format = choice.at("/if/properties/format/const").asText();
                    JsonNode options = choice.at("/then/properties/format-options");
                    if (!options.path("properties").isEmpty()) {
                        section("format-options of `" + format + "`", options);
                    }
                }
                return;
            }
        }
    }
}
