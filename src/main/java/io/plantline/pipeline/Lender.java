package io.plantline.pipeline;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.pipeline.PipelineMessage.PullReply;
import io.plantline.pipeline.PipelineMessage.PullRequest;
import io.plantline.spi.BatchReader;
import io.plantline.spi.PublishBatch;
import io.vertx.core.Future;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Lets publishers on other nodes read plans piece by piece: a plan may be larger than memory, and the bus has no
 * backpressure. A piece may be asked for again, because its reply may be lost. Used on one context.
 */
public final class Lender {
    static final Hop<PullRequest, PullReply> HOP = new Hop<>(Duration.ofSeconds(5), PullReply.class, PullReply::failed);
    private static final int READINGS = 8;
    private static final long PIECE_BYTES = 1 << 20;

    private final EventBus bus;
    private final String address = "lender." + UUID.randomUUID();
    private final Map<String, Loan> loans = new HashMap<>();
    private @Nullable MessageConsumer<PullRequest> consumer;

    public Lender(EventBus bus) {
        this.bus = bus;
    }

    /** Where pieces are to be had. */
    public String address() {
        return address;
    }

    /** Answers from now on. */
    public Future<Void> start() {
        MessageConsumer<PullRequest> registered =
                bus.<PullRequest>consumer(address).handler(HOP.serve(this::give));
        consumer = registered;
        return registered.completion();
    }

    /** A plan that may be read until it is taken back. */
    private static final class Loan {
        private final PublishBatch batch;

        /** By number; a publisher that has failed leaves one behind, so there are a few at most. */
        private final Map<Long, Reading> readings = new LinkedHashMap<>();

        Loan(PublishBatch batch) {
            this.batch = batch;
        }

        Reading reading(long number) {
            Reading known = readings.get(number);
            if (known == null) {
                known = new Reading(batch.reader());
                readings.put(number, known);
                if (readings.size() > READINGS) {
                    readings.remove(readings.keySet().iterator().next());
                }
            }
            return known;
        }
    }

    private static final class Reading {
        private final BatchReader reader;
        private int piece = -1;
        private Future<List<MessageBatch>> last = Future.failedFuture("nothing was read");

        Reading(BatchReader reader) {
            this.reader = reader;
        }

        Future<List<MessageBatch>> piece(int number) {
            if (number == piece + 1) {
                piece = number;
                last = reader.next(PIECE_BYTES);
            } else if (number != piece) {
                return Future.failedFuture("piece " + number + " was asked for, after piece " + piece);
            }
            return last;
        }
    }

    /** Lets others read a plan. */
    public void lend(PublishBatch batch) {
        loans.put(batch.plan().id(), new Loan(batch));
    }

    /** Nobody needs to read it any more. */
    public void takeBack(PublishBatch batch) {
        Loan loan = loans.get(batch.plan().id());
        if (loan != null && loan.batch == batch) {
            loans.remove(batch.plan().id());
        }
    }

    private Future<PullReply> give(PullRequest request) {
        Loan loan = loans.get(request.plan());
        return loan == null
                ? Future.succeededFuture(
                        PullReply.failed(Failure.retry("plan-taken-back", "another attempt at it may be under way")))
                : loan.reading(request.reader()).piece(request.piece()).map(piece -> new PullReply(null, piece));
    }

    /** Lends nothing more. */
    public Future<Void> stop() {
        MessageConsumer<PullRequest> registered = consumer;
        return registered == null ? Future.succeededFuture() : registered.unregister();
    }
}
