package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.plantline.model.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Checks a document against its schema and says what is wrong in words a user can act on. */
final class SchemaProblems {
    private final JsonNode schemaRoot;
    private final Schema schema;

    SchemaProblems(ConfigSchema schema) {
        schemaRoot = schema.root();
        this.schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schemaRoot);
    }

    List<Problem> check(JsonNode document) {
        List<Problem> problems = new ArrayList<>();
        for (Error error : schema.validate(document)) {
            Problem problem = describe(error);
            boolean known = problems.stream()
                    .anyMatch(p ->
                            p.pointer().equals(problem.pointer()) && p.message().equals(problem.message()));
            if (!known) {
                problems.add(problem);
            }
        }
        return problems;
    }

    private Problem describe(Error error) {
        String place = error.getInstanceLocation().toString();
        JsonNode value = error.getInstanceNode();
        JsonNode rule = error.getSchemaNode();
        JsonNode around = schemaRoot.at(parent(fragment(error)));
        String property = error.getProperty();
        switch (error.getKeyword()) {
            case "additionalProperties":
                return Problem.error(
                        place + "/" + JsonDocument.escape(property),
                        "unknown key \"" + property + "\"",
                        Suggestion.among(property, keys(around.path("properties"))));
            case "required":
            case "dependentRequired":
                return Problem.error(place, "the key \"" + property + "\" is missing", describedBy(around, property));
            case "enum":
                return Problem.error(
                        place,
                        show(value, place) + " is not allowed",
                        value.isTextual()
                                ? Suggestion.among(value.asText(), texts(rule))
                                : "allowed: " + String.join(", ", texts(rule)));
            case "type":
                return Problem.error(
                        place,
                        show(value, place) + " is " + kind(value) + ", expected " + expected(rule),
                        description(around));
            case "propertyNames":
                return Problem.error(
                        place, "\"" + property + "\" is no name: " + description(schemaRoot.at("/$defs/name")), null);
            case "minProperties":
                return Problem.error(place, "has no entry, at least one is needed", null);
            case "pattern":
                String expected = description(around);
                return Problem.error(
                        place,
                        show(value, place) + " does not fit, expected " + (expected == null ? rule.asText() : expected),
                        null);
            default:
                return Problem.error(place, show(value, place) + ": " + error.getMessage(), description(around));
        }
    }

    private static String fragment(Error error) {
        String location = error.getSchemaLocation().toString();
        int hash = location.indexOf('#');
        return hash < 0 ? "" : location.substring(hash + 1);
    }

    private static String parent(String pointer) {
        int slash = pointer.lastIndexOf('/');
        return slash < 0 ? "" : pointer.substring(0, slash);
    }

    private static @Nullable String description(JsonNode schema) {
        return schema.hasNonNull("description") ? schema.get("description").asText() : null;
    }

    private static @Nullable String describedBy(JsonNode schema, @Nullable String property) {
        return property == null ? null : description(schema.path("properties").path(property));
    }

    /** A value, for a message; only its kind where a secret may have been written by mistake. */
    private static String show(JsonNode value, String place) {
        boolean delicate = place.contains("credential") || value.asText().contains("@");
        String text = value.isContainerNode() || delicate ? kind(value) : value.toString();
        return text.length() > 80 ? text.substring(0, 77) + "..." : text;
    }

    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            default -> "null";
        };
    }

    private static String expected(JsonNode types) {
        return types.isArray() ? String.join(" or ", texts(types)) : types.asText();
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(node -> texts.add(node.asText()));
        return texts;
    }

    private static Set<String> keys(JsonNode properties) {
        Set<String> keys = new TreeSet<>();
        properties.fieldNames().forEachRemaining(keys::add);
        return keys;
    }
}
