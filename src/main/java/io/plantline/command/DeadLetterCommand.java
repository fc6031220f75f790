package io.plantline.command;

import io.plantline.observe.DeadLetter;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The messages that targets could not take. */
@Command(
        name = "dlq",
        description = "Dead letters: messages that their target can never take.",
        mixinStandardHelpOptions = true,
        subcommands = {
            DeadLetterCommand.ListThem.class,
            DeadLetterCommand.Show.class,
            DeadLetterCommand.Replay.class,
            DeadLetterCommand.Purge.class
        })
final class DeadLetterCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getErr());
        }
        return PlantlineCommand.USAGE;
    }

    /** Whose dead letters. */
    private static final class Whose {
        @Mixin
        private final DataOption data = new DataOption();

        @Parameters(index = "0", paramLabel = "TARGET", description = "Name of a target.")
        private String target = "";
    }

    /** {@code dlq list}. */
    @Command(name = "list", description = "The oldest dead letters of a target.", mixinStandardHelpOptions = true)
    static final class ListThem implements Callable<Integer> {
        @Mixin
        private final Whose whose = new Whose();

        @Option(names = "--from", paramLabel = "ID", defaultValue = "0", description = "This one and younger ones.")
        private long from;

        @Option(names = "--limit", defaultValue = "100", description = "At most so many (default: ${DEFAULT-VALUE}).")
        private int limit = 100;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            PrintWriter out = Output.of(spec);
            out.printf("%8s %-27s %-16s %-20s %9s %s%n", "id", "refused", "stage", "code", "bytes", "topic");
            for (DeadLetter letter : whose.data.ask(operations -> operations.deadLetters(whose.target, from, limit))) {
                out.printf(
                        "%8d %-27s %-16s %-20s %9d %s%n",
                        letter.id(),
                        Output.time(letter.refusedAtMicros()),
                        letter.stage(),
                        letter.code(),
                        letter.payload().length,
                        printable(letter.topic()));
            }
            out.flush();
            return PlantlineCommand.OK;
        }
    }

    /** {@code dlq show}. */
    @Command(
            name = "show",
            description = "One dead letter; with --raw its payload alone, byte by byte.",
            mixinStandardHelpOptions = true)
    static final class Show implements Callable<Integer> {
        @Mixin
        private final Whose whose = new Whose();

        @Parameters(index = "1", paramLabel = "ID", description = "As list says.")
        private long id;

        @Option(names = "--raw", description = "The payload and nothing else.")
        private boolean raw;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            List<DeadLetter> all = whose.data.ask(operations -> operations.deadLetters(whose.target, id, 1));
            for (DeadLetter letter : all) {
                if (letter.id() == id) {
                    show(letter);
                    return PlantlineCommand.OK;
                }
            }
            if (spec != null) {
                spec.commandLine().getErr().println("there is no dead letter " + id + " of " + whose.target);
            }
            return PlantlineCommand.NO_INPUT;
        }

        private void show(DeadLetter letter) throws Exception {
            PrintWriter out = Output.of(spec);
            if (raw) {
                OutputStream bytes = System.out;
                bytes.write(letter.payload());
                bytes.flush();
                return;
            }
            out.println("topic          " + printable(letter.topic()));
            out.println("received       " + Output.time(letter.receivedAtMicros()) + ", QoS " + letter.qos()
                    + (letter.retained() ? ", retained" : ""));
            out.println("message id     " + letter.messageId());
            out.println("refused        " + Output.time(letter.refusedAtMicros()) + " by " + letter.stage());
            out.println("reason         " + letter.code() + ": " + printable(letter.reason()));
            out.println("configuration  " + letter.configuration());
            if (letter.contentType() != null) {
                out.println("content type   " + printable(letter.contentType()));
            }
            letter.user().forEach(pair -> out.println("user property  " + printable(pair)));
            out.println("payload        " + letter.payload().length + " bytes (--raw prints them)");
            out.flush();
        }
    }

    /** {@code dlq replay}. */
    @Command(
            name = "replay",
            description = "Have dead letters accepted anew by their target, or by another one.",
            mixinStandardHelpOptions = true)
    static final class Replay implements Callable<Integer> {
        @Mixin
        private final Whose whose = new Whose();

        @Mixin
        private final UpTo upTo = new UpTo();

        @Option(names = "--to", paramLabel = "TARGET", description = "Default: the target that refused them.")
        private @Nullable String to;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            String taker = to == null ? whose.target : to;
            long count = whose.data.ask(operations -> operations.replayDeadLetters(whose.target, taker, upTo.id));
            Output.of(spec).println(count + " dead letters of " + whose.target + " are with " + taker + " now");
            return PlantlineCommand.OK;
        }
    }

    /** {@code dlq purge}. */
    @Command(name = "purge", description = "Forget dead letters, for ever.", mixinStandardHelpOptions = true)
    static final class Purge implements Callable<Integer> {
        @Mixin
        private final Whose whose = new Whose();

        @Mixin
        private final UpTo upTo = new UpTo();

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            long count = whose.data.ask(operations -> operations.purgeDeadLetters(whose.target, upTo.id));
            Output.of(spec).println(count + " dead letters of " + whose.target + " are gone");
            return PlantlineCommand.OK;
        }
    }

    /** Where to end. */
    private static final class UpTo {
        @Option(names = "--up-to", paramLabel = "ID", description = "This one and all that are older. Default: all.")
        private long id = Long.MAX_VALUE;
    }

    /** A topic comes from outside, and a terminal obeys control characters. */
    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
