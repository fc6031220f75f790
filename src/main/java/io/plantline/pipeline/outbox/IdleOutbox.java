package io.plantline.pipeline.outbox;

import io.plantline.observe.DeadLetter;
import io.plantline.observe.LogCheck;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.pipeline.outbox.log.LogInspection;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The folder of an outbox that no program uses. */
public final class IdleOutbox {
    private final ContextInternal context;
    private final Path folder;
    private final String name;
    private final String target;
    private final String fingerprint;

    /**
     * An outbox.
     *
     * @param folder named by target and fingerprint
     */
    public IdleOutbox(Vertx vertx, Path folder) {
        this.context = (ContextInternal) vertx.getOrCreateContext();
        this.folder = folder;
        this.name = String.valueOf(folder.getFileName());
        int hyphen = name.lastIndexOf('-');
        this.target = hyphen < 0 ? name : name.substring(0, hyphen);
        this.fingerprint = hyphen < 0 ? "" : name.substring(hyphen + 1);
    }

    public String target() {
        return target;
    }

    /** Target and fingerprint, with a hyphen between them. */
    public String name() {
        return name;
    }

    /** Whether nothing in it is needed any more: no message, no dead letter, no packet identifier; blocks. */
    public boolean isDone() throws IOException {
        for (String part : List.of("", TargetLogs.RAW, OutboxVerticle.DEAD)) {
            Path place = folder.resolve(part);
            if (Files.isDirectory(place)) {
                LogState state = LogInspection.state(new FileDisk(place));
                if (state.waiting() > 0 || !state.identifiers().isEmpty()) {
                    return false;
                }
            }
        }
        return true;
    }

    /** How it is; blocks. */
    public OutboxReport report() throws IOException {
        LogInspection ready = LogInspection.of(new FileDisk(folder));
        Optional<LogInspection> raw = inspect(TargetLogs.RAW);
        Optional<LogInspection> dead = inspect(OutboxVerticle.DEAD);
        TargetLedger.Totals totals =
                TargetLogs.totals(raw.map(LogInspection::state).orElse(ready.state()), ready.state(), raw.isPresent());
        return new OutboxReport(
                target,
                fingerprint,
                totals,
                null,
                ready.state().lanes(),
                ready.bytes() + raw.map(LogInspection::bytes).orElse(0L),
                0,
                dead.map(inspection -> inspection.state().waiting()).orElse(0L));
    }

    private Optional<LogInspection> inspect(String name) throws IOException {
        Path part = folder.resolve(name);
        return Files.isDirectory(part) ? Optional.of(LogInspection.of(new FileDisk(part))) : Optional.empty();
    }

    /** Reads every byte, by log; blocks. */
    public Map<String, LogCheck> verify() throws IOException {
        Map<String, LogCheck> checks = new LinkedHashMap<>();
        for (String part : List.of("", TargetLogs.RAW, OutboxVerticle.DEAD)) {
            Path place = folder.resolve(part);
            if (Files.isDirectory(place)) {
                LogInspection found = LogInspection.of(new FileDisk(place));
                checks.put(
                        part.isEmpty() ? target : target + "/" + part,
                        new LogCheck(found.segments(), found.groups(), found.damage()));
            }
        }
        return checks;
    }

    /** The oldest of its dead letters from an id on. */
    public Future<List<DeadLetter>> deadLetters(long from, int limit) {
        return withDeadLetters(log -> log.list(from, limit));
    }

    /** Forgets dead letters up to one; completes with how many. */
    public Future<Long> purgeDeadLetters(long upTo) {
        return withDeadLetters(log -> log.purge(upTo));
    }

    private <T> Future<T> withDeadLetters(Function<DeadLetterLog, Future<T>> work) {
        DeadLetterLog log = new DeadLetterLog(
                context,
                target,
                folder.resolve(OutboxVerticle.DEAD),
                FileDisk::new,
                () -> Long.MAX_VALUE,
                new DiskTrouble(target, new TargetLedger(target)));
        return context.future(promise ->
                context.runOnContext(v -> work.apply(log).eventually(log::close).onComplete(promise)));
    }
}
