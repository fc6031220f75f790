package io.plantline.command;

import io.plantline.config.ConfigurationParser;
import io.plantline.runtime.PluginCatalog;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Checks a document and says all that is wrong with it. */
@Command(
        name = "validate",
        description = "Check a configuration: all problems at once, with places and hints.",
        mixinStandardHelpOptions = true)
final class ValidateCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable PlantlineCommand parent;

    @Parameters(paramLabel = "FILE", description = "The configuration.")
    private Path file = Path.of("");

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        String text = DocumentSource.read(file);
        ConfigurationParser parser = new ConfigurationParser(
                PluginCatalog.load(PlantlineCommand.orDefault(parent).plugins),
                Runtime.getRuntime().availableProcessors());
        ConfigurationParser.Result result = parser.parse(text, System.getenv());
        if (spec != null) {
            CommandLine line = spec.commandLine();
            PlantlineCommand.print(line, result.warnings());
            line.getOut()
                    .println(file + " is valid: "
                            + result.configuration().subscriptions().size()
                            + " subscriptions, "
                            + result.configuration().targets().size() + " targets, "
                            + result.configuration().processors().size() + " processors");
        }
        return PlantlineCommand.OK;
    }
}
