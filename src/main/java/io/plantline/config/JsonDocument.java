package io.plantline.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.model.Problem;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A JSON text as a tree that remembers its lines, and refuses what JSON parsers tend to forgive: duplicate keys. */
final class JsonDocument {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxStringLength(1 << 20)
                    .maxNumberLength(100)
                    .build())
            .build();

    private final Map<String, Integer> lines = new HashMap<>();
    private final List<Problem> problems;

    private JsonDocument(List<Problem> problems) {
        this.problems = problems;
    }

    /** Where in the text a value stands. */
    interface Lines {
        /** Line of the value at {@code pointer}, or of the nearest value around it. */
        int of(String pointer);
    }

    /** The tree and its lines. */
    record Parsed(JsonNode root, Lines lines) {}

    /** Parses {@code text}; adds what is wrong to {@code problems}. The root is missing if the text is no JSON. */
    static Parsed parse(String text, List<Problem> problems) {
        JsonDocument document = new JsonDocument(problems);
        JsonNode root = JsonNodeFactory.instance.missingNode();
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                problems.add(Problem.error("", "the document is empty", null));
            } else {
                root = document.value(parser, "");
                if (parser.nextToken() != null) {
                    problems.add(Problem.error("", "something follows the end of the document", null)
                            .onLine(parser.currentLocation().getLineNr()));
                }
            }
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            problems.add(Problem.error("", "not JSON: " + e.getOriginalMessage(), null)
                    .onLine(line));
        } catch (IOException e) {
            problems.add(Problem.error("", "cannot be read: " + e.getMessage(), null));
        }
        return new Parsed(root, document::line);
    }

    private int line(String pointer) {
        String place = pointer;
        while (true) {
            Integer line = lines.get(place);
            if (line != null) {
                return line;
            }
            int slash = place.lastIndexOf('/');
            if (slash < 0) {
                return 0;
            }
            place = place.substring(0, slash);
        }
    }

    private JsonNode value(JsonParser parser, String pointer) throws IOException {
        lines.put(pointer, parser.currentTokenLocation().getLineNr());
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser, pointer);
            case START_ARRAY -> array(parser, pointer);
            case VALUE_STRING -> nodes.textNode(parser.getText());
            case VALUE_NUMBER_INT -> nodes.numberNode(parser.getBigIntegerValue());
            case VALUE_NUMBER_FLOAT -> nodes.numberNode(parser.getDecimalValue());
            case VALUE_TRUE -> nodes.booleanNode(true);
            case VALUE_FALSE -> nodes.booleanNode(false);
            default -> nodes.nullNode();
        };
    }

    private ObjectNode object(JsonParser parser, String pointer) throws IOException {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            int line = parser.currentTokenLocation().getLineNr();
            String place = pointer + "/" + escape(key);
            parser.nextToken();
            if (object.has(key)) {
                problems.add(Problem.error(place, "the key \"" + key + "\" stands here twice", "keep one of them")
                        .onLine(line));
                value(parser, place);
            } else {
                object.set(key, value(parser, place));
            }
            lines.put(place, line);
        }
        return object;
    }

    private ArrayNode array(JsonParser parser, String pointer) throws IOException {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(value(parser, pointer + "/" + array.size()));
        }
        return array;
    }

    /** The same value with the keys of each object in order, so that equal ones have equal texts. */
    static JsonNode sorted(JsonNode value) {
        if (value instanceof ArrayNode array) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode();
            array.forEach(item -> copy.add(sorted(item)));
            return copy;
        }
        if (!(value instanceof ObjectNode object)) {
            return value;
        }
        TreeMap<String, JsonNode> fields = new TreeMap<>();
        object.properties().forEach(field -> fields.put(field.getKey(), sorted(field.getValue())));
        ObjectNode copy = JsonNodeFactory.instance.objectNode();
        fields.forEach(copy::set);
        return copy;
    }

    /** A key as part of a JSON pointer (RFC 6901 section 3). */
    static String escape(String key) {
        return key.replace("~", "~0").replace("/", "~1");
    }
}
