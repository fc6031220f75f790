package io.plantline.runtime;

import io.vertx.core.Future;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * One step from a configuration to the next.
 *
 * @param apply a failure means that nothing of the step remains
 * @param undo takes back what was applied
 * @param settle runs when all steps are applied and nobody goes back any more
 */
record Change(Supplier<Future<Void>> apply, Supplier<Future<Void>> undo, Supplier<Future<Void>> settle) {

    /** Applies steps in order; if one fails those before it are undone, the last one first. */
    static Future<Void> applyAll(List<Change> changes) {
        Deque<Change> applied = new ArrayDeque<>();
        Future<Void> all = Future.succeededFuture();
        for (Change change : changes) {
            all = all.compose(v -> change.apply.get()).map(v -> {
                applied.push(change);
                return null;
            });
        }
        return all.recover(failed -> {
                    Future<Void> undone = Future.succeededFuture();
                    for (Change change : applied) {
                        undone = undone.eventually(change.undo);
                    }
                    return undone.transform(v -> Future.failedFuture(failed));
                })
                .compose(v -> {
                    Future<Void> settled = Future.succeededFuture();
                    for (Change change : changes) {
                        settled = settled.eventually(change.settle);
                    }
                    return settled.otherwiseEmpty();
                });
    }
}
