package io.plantline.command;

import io.plantline.observe.ConfigurationReport;
import io.plantline.observe.ConfigurationReport.Attempt;
import io.plantline.observe.ConfigurationReport.Outcome;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says which configuration a running program has, and what became of the last document. */
@Command(
        name = "configuration",
        description = "Which configuration the running program has, and what became of the last document.",
        mixinStandardHelpOptions = true)
final class ConfigurationCommand implements Callable<Integer> {
    @Mixin
    private final DataOption data = new DataOption();

    @Option(names = "--reload", description = "Have it read its document again first.")
    private boolean reload;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        ConfigurationReport report = data.askRunning(program -> reload ? program.reload() : program.configuration());
        PrintWriter out = Output.of(spec);
        out.println("generation  " + report.generation());
        out.println("hash        " + report.hash());
        out.println("since       " + report.since());
        out.println("source      " + report.source());
        Attempt last = report.last();
        if (last == null) {
            return PlantlineCommand.OK;
        }
        out.println("last        " + last.outcome() + " at " + last.at() + ", in " + last.millis() + " ms");
        last.changes().forEach(line -> out.println("  " + line));
        last.problems().forEach(line -> out.println("  " + line));
        boolean runs = last.outcome() == Outcome.APPLIED || last.outcome() == Outcome.UNCHANGED;
        return runs ? PlantlineCommand.OK : PlantlineCommand.CONFIG;
    }
}
