package io.plantline.runtime;

import io.plantline.observe.DeadLetter;
import io.plantline.observe.LogCheck;
import io.plantline.observe.OutboxReport;
import io.plantline.pipeline.outbox.IdleOutbox;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A data directory that no program uses. */
public final class IdleDirectory implements Operations {
    private final Vertx vertx;
    private final DataDirectory directory;

    public IdleDirectory(Vertx vertx, DataDirectory directory) {
        this.vertx = vertx;
        this.directory = directory;
    }

    private List<IdleOutbox> all() {
        return directory.targetFolders().stream()
                .map(folder -> new IdleOutbox(vertx, folder))
                .toList();
    }

    private Future<IdleOutbox> find(String target) {
        List<IdleOutbox> found = all().stream()
                .filter(outbox -> target.equals(outbox.target()) || target.equals(outbox.name()))
                .toList();
        if (found.size() == 1) {
            return Future.succeededFuture(found.get(0));
        }
        String names =
                String.join(", ", all().stream().map(IdleOutbox::name).sorted().toList());
        return Future.failedFuture(new RefusedException(
                found.isEmpty()
                        ? "there is no target \"" + target + "\"; there is: " + names
                        : "there are " + found.size() + " definitions of \"" + target + "\"; name one of: " + names));
    }

    @Override
    public Future<List<OutboxReport>> outboxes() {
        return vertx.executeBlocking(() -> {
            List<OutboxReport> reports = new ArrayList<>();
            for (IdleOutbox outbox : all()) {
                reports.add(outbox.report());
            }
            return reports;
        });
    }

    /** Reads every byte of every log; nothing is changed. */
    public Future<Map<String, LogCheck>> verify() {
        return vertx.executeBlocking(() -> {
            Map<String, LogCheck> checks = new LinkedHashMap<>();
            for (IdleOutbox outbox : all()) {
                checks.putAll(outbox.verify());
            }
            return checks;
        });
    }

    @Override
    public Future<List<DeadLetter>> deadLetters(String target, long from, int limit) {
        return find(target).compose(outbox -> outbox.deadLetters(from, limit));
    }

    @Override
    public Future<Long> purgeDeadLetters(String target, long upTo) {
        return find(target).compose(outbox -> outbox.purgeDeadLetters(upTo));
    }

    @Override
    public Future<Long> moveWaiting(String from, @Nullable String to, boolean tried) {
        return Future.failedFuture(
                new RefusedException("what waits is moved by the running program; start it, and say it again"));
    }

    @Override
    public Future<Long> replayDeadLetters(String target, String to, long upTo) {
        return Future.failedFuture(
                new RefusedException("dead letters are replayed by the running program; start it, and say it again"));
    }
}
