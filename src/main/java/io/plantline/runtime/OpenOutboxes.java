package io.plantline.runtime;

import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.vertx.core.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The outboxes of a program that runs. */
record OpenOutboxes(Rooms rooms) implements Operations {

    @Override
    public Future<List<OutboxReport>> outboxes() {
        List<Future<OutboxReport>> reports =
                rooms.withOutbox().stream().map(room -> room.outbox().report()).toList();
        return Future.all(reports).map(v -> reports.stream().map(Future::result).toList());
    }

    @Override
    public Future<List<DeadLetter>> deadLetters(String target, long from, int limit) {
        return rooms.outbox(target).compose(outbox -> outbox.deadLetters(from, limit));
    }

    @Override
    public Future<Long> purgeDeadLetters(String target, long upTo) {
        return rooms.outbox(target).compose(outbox -> outbox.purgeDeadLetters(upTo));
    }

    @Override
    public Future<Long> replayDeadLetters(String target, String to, long upTo) {
        return rooms.outbox(target)
                .compose(from -> rooms.outbox(to).compose(taker -> from.replayDeadLetters(upTo, taker)));
    }

    @Override
    public Future<Long> moveWaiting(String from, @Nullable String to, boolean tried) {
        return rooms.outbox(from)
                .compose(outbox -> to == null
                        ? outbox.purge(tried)
                        : rooms.outbox(to)
                                .compose(taker -> taker == outbox
                                        ? Future.failedFuture(
                                                new RefusedException("what waits for " + from + " is there already"))
                                        : outbox.retarget(taker, tried)));
    }
}
