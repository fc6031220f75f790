package io.plantline.command;

import io.plantline.config.ConfigSchema;
import io.plantline.runtime.PluginCatalog;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints the JSON Schema of the document, plug-ins included. */
@Command(
        name = "schema",
        description = "Print the JSON Schema of the configuration, for editors.",
        mixinStandardHelpOptions = true)
final class SchemaCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable PlantlineCommand parent;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        ConfigSchema schema = new ConfigSchema(PluginCatalog.load(PlantlineCommand.orDefault(parent).plugins));
        if (spec != null) {
            spec.commandLine().getOut().print(schema.text());
            spec.commandLine().getOut().flush();
        }
        return PlantlineCommand.OK;
    }
}
