package io.plantline.command;

import io.plantline.config.ConfigSchema;
import io.plantline.config.SchemaReference;
import io.plantline.runtime.PluginCatalog;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Option(names = "--markdown", description = "A page for readers instead: every key, its values and its default.")
    private boolean markdown;

    @Override
    public Integer call() {
        ConfigSchema schema = new ConfigSchema(PluginCatalog.load(PlantlineCommand.orDefault(parent).plugins));
        if (spec != null) {
            spec.commandLine().getOut().print(markdown ? new SchemaReference(schema).markdown() : schema.text());
            spec.commandLine().getOut().flush();
        }
        return PlantlineCommand.OK;
    }
}
