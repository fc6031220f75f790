package io.plantline.testkit;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.runtime.PluginCatalog;
import java.nio.file.Path;
import java.util.Map;

/** Sections of a configuration, parsed as the program parses them. */
public final class Sections {
    private Sections() {}

    public static Configuration parse(String document) {
        return new ConfigurationParser(PluginCatalog.load(Path.of("no-plugins")), 2)
                .parse(document, Map.of())
                .configuration();
    }

    /** What the factory of a target made of its section. */
    @SuppressWarnings("unchecked")
    public static <C> C target(String section) {
        return (C) parse("""
                {"mqtt-broker": {"addresses": ["broker:1883"], "client-id": "x"}, "data-directory": "d",
                 "targets": {"t": %s}, "subscriptions": {"a/#": {"target": "t"}}}""".formatted(section)).targets().get("t").config();
    }

    /** What the factory of a processor made of its section. */
    @SuppressWarnings("unchecked")
    public static <C> C processor(String section) {
        return (C) parse("""
                {"mqtt-broker": {"addresses": ["broker:1883"], "client-id": "x"},
                 "targets": {"t": {"type": "file", "directory": "d", "processors": ["p"]}},
                 "processors": {"p": %s}, "subscriptions": {"a/#": {"target": "t"}}}""".formatted(section)).processors().get("p").config();
    }
}
