package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.pipeline.outbox.log.LogState.Gap;
import io.plantline.spi.Loop;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.function.Function;

/**
 * Hands what waits in a lane to somebody else, a batch at a time; what a publisher has stays. While it does, the lane starts no plan, and
 * nobody else reads.
 */
final class LaneMove {
    private final Relay relay;
    private final Journal journal;
    private final Lane lane;
    private final LaneBacklog backlog;
    private boolean goingOn;

    LaneMove(Relay relay, Journal journal, Lane lane, LaneBacklog backlog) {
        this.relay = relay;
        this.journal = journal;
        this.lane = lane;
        this.backlog = backlog;
    }

    boolean isGoingOn() {
        return goingOn;
    }

    /**
     * Begins; not while something is read, before a plan that was made before, or where messages in two places would be gone.
     *
     * @param to completes when it has a batch
     * @param tried also the plan that was tried and waits to be tried again
     * @return how many messages
     */
    Future<Long> start(Function<MessageBatch, Future<Void>> to, boolean tried) {
        boolean onItsWay = !lane.isIdle();
        if (backlog.reader().isReading() || goingOn || lane.isPinned() || (onItsWay && !journal.isDurable())) {
            return Future.succeededFuture(0L);
        }
        boolean stays = onItsWay || (lane.waitingPlan() != null && !tried);
        if (stays && !backlog.gap().isFree(lane.keptEnd())) {
            return Future.succeededFuture(0L);
        }
        goingOn = true;
        return (tried ? givePlan(to) : Future.succeededFuture(0L))
                .compose(given -> {
                    if (!journal.isDurable()) {
                        lane.abandonPlan();
                        return Future.succeededFuture(given + fromMemory(to));
                    }
                    backlog.ungather();
                    long[] moved = {given};
                    return Loop.run(() -> next(to, moved)).map(v -> moved[0]);
                })
                .andThen(moved -> {
                    goingOn = false;
                    lane.pump();
                });
    }

    private Future<Long> givePlan(Function<MessageBatch, Future<Void>> to) {
        PlanRun waits = lane.waitingPlan();
        if (waits == null) {
            return Future.succeededFuture(0L);
        }
        Runnable again = lane.holdPlan();
        return waits.handTo(to)
                .map(count -> {
                    relay.accounts().givenUp(lane.number(), count, waits.end());
                    lane.gaveUpPlan();
                    return count;
                })
                .onFailure(e -> again.run());
    }

    /** Safe when it is delivered; the next ones need not wait for that. */
    private long fromMemory(Function<MessageBatch, Future<Void>> to) {
        if (relay.isClosed() || relay.isStopping()) {
            return 0;
        }
        long moved = 0;
        for (Entry entry = backlog.poll(); entry != null; entry = backlog.poll()) {
            to.apply(entry.batch()).onComplete(entry.safe() == null ? Promise.promise() : entry.safe());
            relay.accounts().moved(lane.number(), entry.batch().count(), 0, entry.end(), 0);
            moved += entry.batch().count();
        }
        return moved;
    }

    private Future<Boolean> next(Function<MessageBatch, Future<Void>> to, long[] moved) {
        if (relay.isClosed() || relay.isStopping()) {
            return Future.succeededFuture(false);
        }
        if (lane.hasPlan()) {
            backlog.losses().stripHole();
        } else {
            backlog.losses().skipHoles();
        }
        long ordinal = backlog.reader().headOrdinal();
        boolean beforeGap = backlog.gap().isAhead();
        Gap gap = backlog.gap().gap();
        Entry entry = backlog.poll();
        if (entry == null) {
            return backlog.isOnDisk() ? backlog.reader().read().map(true) : Future.succeededFuture(false);
        }
        int count = entry.batch().count();
        if (count == 0) {
            return Future.succeededFuture(true); // All that is left of a hole.
        }
        return to.apply(entry.batch())
                .compose(
                        v -> {
                            if (!beforeGap) {
                                backlog.gap().to(lane.keptEnd(), count, entry.end(), ordinal + count);
                            }
                            relay.accounts().moved(lane.number(), count, lane.keptEnd(), entry.end(), ordinal + count);
                            moved[0] += count;
                            return Future.succeededFuture(true);
                        },
                        e -> {
                            backlog.rewind(entry.batch().firstSequence(), ordinal, gap);
                            return Future.failedFuture(e);
                        });
    }
}
