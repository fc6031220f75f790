package io.plantline.runtime.reload;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationException;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Difference;
import io.plantline.config.DocumentFile;
import io.plantline.model.Problem;
import io.plantline.observe.ConfigurationReport;
import io.plantline.observe.ConfigurationReport.Attempt;
import io.plantline.observe.ConfigurationReport.Outcome;
import io.plantline.runtime.DataDirectory;
import io.plantline.runtime.House;
import io.plantline.runtime.Operations;
import io.plantline.runtime.Reloads;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a house follow its document: one text after the other, and of those that come while one is being applied the last.
 * Every document that is offered ends as an {@link Attempt}.
 */
public final class Reloader implements Reloads {
    private static final Logger LOG = LoggerFactory.getLogger(Reloader.class);

    private final Context context;
    private final Vertx vertx;
    private final House house;
    private final ConfigurationParser parser;
    private final Map<String, String> environment;
    private final @Nullable DocumentFile file;
    private final @Nullable DataDirectory data;
    private ConfigurationReport report;
    private String running;
    private String offered;
    private @Nullable String next;
    /** What was refused is looked at once more: it may have been because of something that is better now. */
    private boolean again;

    private boolean busy;
    private List<Promise<ConfigurationReport>> waiting = new ArrayList<>();

    /**
     * A reloader that does not look yet.
     *
     * @param file of the document; null: it came from the environment, which does not change
     * @param data that keeps the last document that was applied; null in memory mode
     * @param running what the house runs
     * @param document that says so
     */
    public Reloader(
            Vertx vertx,
            House house,
            ConfigurationParser parser,
            Map<String, String> environment,
            @Nullable Path file,
            @Nullable DataDirectory data,
            Configuration running,
            String document) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.house = house;
        this.parser = parser;
        this.environment = environment;
        this.file = file == null ? null : new DocumentFile(vertx, file);
        this.data = data;
        this.running = document;
        this.offered = document;
        this.report = new ConfigurationReport(
                1,
                running.hash(),
                Instant.now().toString(),
                this.file == null ? "the environment" : this.file.toString(),
                null);
    }

    /** Keeps the document that runs, and follows its source. */
    public Future<Void> start() {
        Promise<Void> started = Promise.promise();
        context.runOnContext(v -> keep().onComplete(kept -> {
            DocumentFile source = file;
            if (source != null) {
                source.watch(
                        read -> context.runOnContext(w -> offer(read)),
                        why -> context.runOnContext(w -> unreadable(why)));
            }
            started.complete();
        }));
        return started.future();
    }

    @Override
    public Future<ConfigurationReport> configuration() {
        Promise<ConfigurationReport> promise = Promise.promise();
        context.runOnContext(v -> promise.complete(report));
        return promise.future();
    }

    @Override
    public Future<ConfigurationReport> reload() {
        DocumentFile source = file;
        if (source == null) {
            return Future.failedFuture(
                    new Operations.RefusedException(
                            "the configuration came from the environment, which changes with a restart only; use --config FILE"));
        }
        Promise<ConfigurationReport> promise = Promise.promise();
        source.read()
                .onSuccess(read -> context.runOnContext(v -> {
                    waiting.add(promise);
                    again = true;
                    offer(read);
                }))
                .onFailure(e ->
                        promise.fail(new Operations.RefusedException(source + " cannot be read: " + e.getMessage())));
        return promise.future();
    }

    /** No document is none that can run; the next that there is is looked at, even if it is the one that runs. */
    private void unreadable(String why) {
        offered = "";
        ended(new Attempt(Instant.now().toString(), "", Outcome.REFUSED, List.of(), List.of(why), 0));
    }

    private void offer(String read) {
        next = read;
        if (!busy) {
            takeNext();
        }
    }

    private void takeNext() {
        if (again) {
            again = false;
            offered = running;
        }
        String taken = next;
        next = null;
        if (taken == null || taken.equals(offered)) {
            List<Promise<ConfigurationReport>> told = waiting;
            waiting = new ArrayList<>();
            told.forEach(promise -> promise.complete(report));
            return;
        }
        busy = true;
        offered = taken;
        LOG.info("there is another document");
        long start = System.nanoTime();
        Instant at = Instant.now();
        vertx.executeBlocking(() -> parser.parse(taken, environment))
                .compose(parsed -> house.change(parsed.configuration())
                        .map(difference -> applied(parsed, difference))
                        .otherwise(e -> refused(parsed, e)))
                .otherwise(e -> refused(null, e))
                .compose(outcome -> {
                    long millis = (System.nanoTime() - start) / 1_000_000;
                    Attempt attempt = new Attempt(
                            at.toString(),
                            outcome.hash(),
                            outcome.outcome(),
                            outcome.changes(),
                            outcome.problems(),
                            millis);
                    boolean runs = ended(attempt);
                    tell(attempt);
                    if (runs) {
                        running = taken;
                    }
                    return runs ? keep() : Future.succeededFuture();
                })
                .onComplete(done -> {
                    busy = false;
                    takeNext();
                });
    }

    /** Whether what was offered runs. */
    private boolean ended(Attempt attempt) {
        boolean runs = attempt.outcome() == Outcome.APPLIED || attempt.outcome() == Outcome.UNCHANGED;
        report = new ConfigurationReport(
                runs ? report.generation() + 1 : report.generation(),
                runs ? attempt.hash() : report.hash(),
                runs ? Instant.now().toString() : report.since(),
                report.source(),
                attempt);
        return runs;
    }

    private record Ended(String hash, Outcome outcome, List<String> changes, List<String> problems) {}

    private static Ended applied(ConfigurationParser.Result parsed, Difference difference) {
        return new Ended(
                parsed.configuration().hash(),
                difference.lines().isEmpty() ? Outcome.UNCHANGED : Outcome.APPLIED,
                difference.lines(),
                texts(parsed.warnings()));
    }

    private static Ended refused(ConfigurationParser.@Nullable Result parsed, Throwable cause) {
        String hash = parsed == null ? "" : parsed.configuration().hash();
        List<String> warnings = parsed == null ? List.of() : texts(parsed.warnings());
        if (cause instanceof ConfigurationException invalid) {
            return new Ended(
                    hash,
                    Outcome.REFUSED,
                    List.of(),
                    Stream.concat(texts(invalid.problems()).stream(), warnings.stream())
                            .toList());
        }
        boolean refused = cause instanceof Operations.RefusedException;
        if (!refused) {
            LOG.debug("a reload was taken back", cause);
        }
        return new Ended(
                hash,
                refused ? Outcome.REFUSED : Outcome.ROLLED_BACK,
                List.of(),
                Stream.concat(Stream.of(String.valueOf(cause.getMessage())), warnings.stream())
                        .toList());
    }

    private static List<String> texts(List<Problem> problems) {
        return problems.stream().map(Problem::toString).toList();
    }

    private void tell(Attempt attempt) {
        switch (attempt.outcome()) {
            case APPLIED, UNCHANGED ->
                LOG.info(
                        "RELOAD-APPLIED: generation {}, configuration {}, in {} ms{}",
                        report.generation(),
                        attempt.hash(),
                        attempt.millis(),
                        attempt.changes().isEmpty()
                                ? ": nothing in it is different"
                                : ":\n  " + String.join("\n  ", attempt.changes()));
            case REFUSED, ROLLED_BACK ->
                LOG.error(
                        "RELOAD-{}: configuration {} goes on as generation {}; the new document {}:\n  {}",
                        attempt.outcome() == Outcome.REFUSED ? "REFUSED" : "ROLLED-BACK",
                        report.hash(),
                        report.generation(),
                        attempt.outcome() == Outcome.REFUSED ? "cannot run" : "failed and was taken back",
                        String.join("\n  ", attempt.problems()));
        }
    }

    /** What was applied last is what a start falls back on when its document is gone. */
    private Future<Void> keep() {
        DataDirectory directory = data;
        String applied = running;
        return directory == null
                ? Future.succeededFuture()
                : vertx.<Void>executeBlocking(() -> {
                            directory.keepDocument(applied);
                            return null;
                        })
                        .onFailure(e -> LOG.warn("the document could not be kept: {}", e.toString()));
    }
}
