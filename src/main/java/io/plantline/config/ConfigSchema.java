package io.plantline.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.spi.PluginFactory;
import io.plantline.spi.Schemas;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.TargetFactory;
import java.util.Map;

/**
 * The JSON Schema of the whole document: the fixed part, and a section from each factory. The parser, {@code validate}
 * and editors use the same one.
 */
public final class ConfigSchema {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode root;

    public ConfigSchema(Plugins plugins) {
        root = read(Schemas.resource(ConfigSchema.class, "plantline.schema.json"));
        ObjectNode defs = (ObjectNode) root.get("$defs");
        choice(defs, "target", plugins.targets(), common(defs, "target-common"));
        choice(defs, "processor", plugins.processors(), common(defs, "processor-common"));
        choice(defs, "credential", plugins.secrets(), typeOnly());
        ((ObjectNode) defs.get("credential")).put("description", "Where a user name and a password are kept.");
        for (Map.Entry<String, TargetFactory<?>> target : plugins.targets().entrySet()) {
            if (target.getValue().defaultFormat() != null) {
                addFormats((ObjectNode) defs.get("target-" + target.getKey()), plugins);
            }
        }
    }

    /** The schema as a tree. */
    JsonNode root() {
        return root;
    }

    /** The schema as indented text, for a file. */
    public String text() {
        try {
            return JSON.copy().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ObjectNode common(ObjectNode defs, String name) {
        return (ObjectNode) defs.remove(name).get("properties");
    }

    private static ObjectNode typeOnly() {
        ObjectNode properties = JSON.createObjectNode();
        properties.putObject("type").put("type", "string");
        return properties;
    }

    /** Defines {@code kind} as one of its types, each with the common keys and its own. */
    private static void choice(
            ObjectNode defs, String kind, Map<String, ? extends PluginFactory<?>> factories, ObjectNode common) {
        ObjectNode choice = defs.putObject(kind);
        choice.put("type", "object");
        ArrayNode types = choice.putObject("properties").putObject("type").putArray("enum");
        ArrayNode cases = choice.putArray("allOf");
        boolean typeOptional = false;
        for (Map.Entry<String, ? extends PluginFactory<?>> entry : factories.entrySet()) {
            String type = entry.getKey();
            types.add(type);
            String definition = kind + "-" + type;
            defs.set(definition, section(entry.getValue(), type, common));
            ObjectNode condition = cases.addObject();
            boolean untyped = entry.getValue() instanceof SecretProviderFactory<?> secret && secret.takesUntyped();
            typeOptional |= untyped;
            ObjectNode test = condition.putObject("if");
            test.putObject("properties").putObject("type").put("const", type);
            if (!untyped) {
                test.putArray("required").add("type");
            }
            condition.putObject("then").put("$ref", "#/$defs/" + definition);
        }
        if (!typeOptional) {
            choice.putArray("required").add("type");
        }
    }

    private static ObjectNode section(PluginFactory<?> factory, String type, ObjectNode common) {
        ObjectNode section = read(factory.schema());
        section.put("type", "object");
        section.put("additionalProperties", false);
        ObjectNode own = section.withObjectProperty("properties");
        ObjectNode merged = JSON.createObjectNode();
        merged.setAll(common.deepCopy());
        merged.setAll(own);
        merged.putObject("type").put("const", type);
        section.set("properties", merged);
        return section;
    }

    private static void addFormats(ObjectNode section, Plugins plugins) {
        ObjectNode properties = (ObjectNode) section.get("properties");
        ArrayNode names = properties.putObject("format").putArray("enum");
        plugins.formats().keySet().forEach(names::add);
        ObjectNode options = properties.putObject("format-options");
        options.put("type", "object");
        options.put("description", "Keys of the chosen format.");
        ArrayNode cases = section.putArray("allOf");
        plugins.formats().forEach((type, format) -> {
            ObjectNode schema = read(format.schema());
            schema.put("type", "object");
            schema.put("additionalProperties", false);
            ObjectNode condition = cases.addObject();
            condition
                    .putObject("if")
                    .putObject("properties")
                    .putObject("format")
                    .put("const", type);
            ((ObjectNode) condition.get("if")).putArray("required").add("format");
            condition.putObject("then").putObject("properties").set("format-options", schema);
        });
    }

    private static ObjectNode read(String text) {
        try {
            return (ObjectNode) JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a factory's schema is not JSON: " + e.getMessage(), e);
        }
    }
}
