package io.plantline.command;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Difference;
import io.plantline.runtime.PluginCatalog;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Says what a change of the document would open, close and replace. */
@Command(
        name = "diff",
        description = "What a change of the configuration would open (+), close (-) and replace (~) in what runs.",
        mixinStandardHelpOptions = true)
final class DiffCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable PlantlineCommand parent;

    @Parameters(index = "0", paramLabel = "OLD", description = "The configuration that runs.")
    private Path before = Path.of("");

    @Parameters(index = "1", paramLabel = "NEW", description = "The configuration that is to run.")
    private Path after = Path.of("");

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        ConfigurationParser parser = new ConfigurationParser(
                PluginCatalog.load(PlantlineCommand.orDefault(parent).plugins),
                Runtime.getRuntime().availableProcessors());
        Difference difference = Difference.between(read(parser, before), read(parser, after));
        difference.lines().forEach(Output.of(spec)::println);
        if (difference.lines().isEmpty()) {
            Output.of(spec).println("nothing in what runs is different");
        }
        if (!difference.problems().isEmpty()) {
            difference.problems().forEach(Output.of(spec)::println);
            return PlantlineCommand.CONFIG;
        }
        return PlantlineCommand.OK;
    }

    private static Configuration read(ConfigurationParser parser, Path file) {
        return parser.parse(DocumentSource.read(file), System.getenv()).configuration();
    }
}
