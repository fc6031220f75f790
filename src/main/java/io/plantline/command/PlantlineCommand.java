package io.plantline.command;

import io.plantline.config.ConfigurationException;
import io.plantline.model.Problem;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.Operations;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * {@code plantline}, and what its subcommands have in common. Exit codes follow sysexits.h where it has one.
 */
@Command(
        name = "plantline",
        description = "MQTT in, many targets out, nothing lost.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            RunCommand.class,
            ValidateCommand.class,
            DiffCommand.class,
            SchemaCommand.class,
            ConfigurationCommand.class,
            LedgerCommand.class,
            OutboxCommand.class,
            DeadLetterCommand.class,
            VersionCommand.class
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:done",
            "1:outbox verify found damage",
            "143:stopped by SIGTERM, with everything in order",
            "64:the command line is wrong",
            "66:the configuration cannot be read",
            "70:a failure inside the program",
            "73:the data directory cannot be used",
            "75:not done yet: try again",
            "78:the configuration is invalid"
        })
public final class PlantlineCommand implements Callable<Integer> {
    static final int OK = 0;
    static final int DAMAGED = 1;
    static final int USAGE = 64;
    static final int NO_INPUT = 66;
    static final int SOFTWARE = 70;
    static final int DATA = 73;
    static final int TRY_AGAIN = 75;
    static final int CONFIG = 78;

    @Option(
            names = "--plugins",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            defaultValue = "plugins",
            description = "Folder of plug-in jars (default: ${DEFAULT-VALUE}).")
    Path plugins = Path.of("plugins");

    /** Parses {@code arguments}, runs what they say, and returns the exit code. */
    public static int execute(String[] arguments) {
        CommandLine line = new CommandLine(new PlantlineCommand());
        line.setExecutionExceptionHandler((e, command, parsed) -> report(command, e));
        line.setParameterExceptionHandler((e, rest) -> {
            CommandLine command = e.getCommandLine();
            command.getErr().println(e.getMessage());
            command.usage(command.getErr());
            return USAGE;
        });
        return line.execute(arguments);
    }

    /** Without a subcommand the reference manifest's way: everything from the environment. */
    @Override
    public Integer call() throws Exception {
        return new RunCommand(this, null).call();
    }

    private static int report(CommandLine command, Exception e) {
        if (e instanceof ConfigurationException invalid) {
            print(command, invalid.problems());
            return CONFIG;
        }
        if (e instanceof DataDirectory.UnusableException unusable) {
            command.getErr().println(unusable.getMessage());
            return DATA;
        }
        if (e instanceof DocumentSource.NoDocumentException missing) {
            command.getErr().println(missing.getMessage());
            return NO_INPUT;
        }
        if (e instanceof Operations.RefusedException refused) {
            command.getErr().println(refused.getMessage());
            return NO_INPUT;
        }
        command.getErr().println("plantline failed: " + e);
        return SOFTWARE;
    }

    static void print(CommandLine command, List<Problem> problems) {
        problems.forEach(problem -> command.getErr().println(problem));
        long errors = problems.stream().filter(Problem::isError).count();
        command.getErr()
                .println(errors
                        + (errors == 1 ? " error, " : " errors, ")
                        + (problems.size() - errors)
                        + (problems.size() - errors == 1 ? " warning" : " warnings"));
    }

    /** The parent of a subcommand that picocli made, or the defaults. */
    static PlantlineCommand orDefault(@Nullable PlantlineCommand parent) {
        return parent == null ? new PlantlineCommand() : parent;
    }
}
