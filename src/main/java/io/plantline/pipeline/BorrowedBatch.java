package io.plantline.pipeline;

import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.PipelineMessage.PullRequest;
import io.plantline.spi.BatchReader;
import io.vertx.core.Future;
import io.vertx.core.eventbus.EventBus;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;

/** A plan whose messages are on another node, and are read from its {@link Lender} piece by piece. */
final class BorrowedBatch extends PlannedBatch {
    private static final int TRIES = 3;

    private final EventBus bus;
    private final String lender;

    BorrowedBatch(EventBus bus, String lender, Plan plan, int count, long bytes, BitSet delivered) {
        super(plan, count, bytes, delivered);
        this.bus = bus;
        this.lender = lender;
    }

    @Override
    public BatchReader reader() {
        return new Reader();
    }

    private final class Reader implements BatchReader {
        private final long number = ThreadLocalRandom.current().nextLong();
        private int piece;
        private final Queue<MessageBatch> pulled = new ArrayDeque<>();
        private int left = count();

        @Override
        public Future<MessageBatch> next() {
            MessageBatch next = pulled.poll();
            if (next != null) {
                left -= next.count();
                return Future.succeededFuture(next);
            }
            return left == 0
                    ? Future.succeededFuture(new MessageBatch.Builder(0).build())
                    : pull(TRIES).compose(this::take);
        }

        private Future<List<MessageBatch>> pull(int tries) {
            PullRequest request = new PullRequest(plan().id(), number, piece);
            return Lender.HOP.requestAnywhere(bus, lender, request).compose(reply -> {
                Failure failure = reply.failure();
                if (failure == null) {
                    return Future.succeededFuture(reply.batches());
                }
                return Hop.isLost(failure) && tries > 1 ? pull(tries - 1) : Future.failedFuture(failure.asException());
            });
        }

        private Future<MessageBatch> take(List<MessageBatch> batches) {
            int messages = Batches.count(batches);
            if (messages == 0 || messages > left) {
                return Future.failedFuture(
                        "a piece of " + messages + " messages where " + left + " are left of the plan");
            }
            piece++;
            pulled.addAll(batches);
            return next();
        }
    }
}
