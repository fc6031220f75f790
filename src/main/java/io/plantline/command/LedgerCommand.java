package io.plantline.command;

import io.plantline.observe.OutboxReport;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints what became of every message. */
@Command(
        name = "ledger",
        description = "What became of every message that was accepted, per target.",
        mixinStandardHelpOptions = true)
final class LedgerCommand implements Callable<Integer> {
    @Mixin
    private final DataOption data = new DataOption();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        for (OutboxReport report : data.ask(operations -> operations.outboxes())) {
            Output.of(spec).println(report.ledger());
        }
        return PlantlineCommand.OK;
    }
}
