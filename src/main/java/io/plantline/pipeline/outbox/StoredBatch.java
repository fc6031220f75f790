package io.plantline.pipeline.outbox;

import io.plantline.model.MessageBatch;
import io.plantline.model.Plan;
import io.plantline.pipeline.PlannedBatch;
import io.plantline.spi.BatchReader;
import io.vertx.core.Future;
import java.util.ArrayDeque;
import java.util.BitSet;

/** A plan whose messages are read from disk while it is published. */
final class StoredBatch extends PlannedBatch {
    private static final MessageBatch END = new MessageBatch.Builder(0).build();
    private static final long PIECE_BYTES = 4 << 20;

    private final Span span;
    private final Journal journal;
    private final Runnable damaged;

    /**
     * A plan.
     *
     * @param damaged runs, on any thread, when some of its messages are not there any more
     */
    StoredBatch(Plan plan, Span span, Journal journal, BitSet delivered, Runnable damaged) {
        super(plan, span.count(), span.bytes(), delivered);
        this.span = span;
        this.journal = journal;
        this.damaged = damaged;
    }

    @Override
    public BatchReader reader() {
        return new Reader(journal.open(plan().lane(), span.first(), span.ordinal()));
    }

    private final class Reader implements BatchReader {
        private final Journal.Reader reader;
        private final ArrayDeque<MessageBatch> read = new ArrayDeque<>();
        private long left = span.count();
        private boolean atEnd;

        Reader(Journal.Reader reader) {
            this.reader = reader;
        }

        @Override
        public Future<MessageBatch> next() {
            MessageBatch next = read.poll();
            if (next != null) {
                left -= next.count();
                return Future.succeededFuture(next);
            }
            if (left == 0) {
                return Future.succeededFuture(END);
            }
            if (atEnd) {
                damaged.run();
                return Future.failedFuture(
                        "damage on disk has taken " + left + " messages of a plan since it was made");
            }
            return reader.read(Math.min(PIECE_BYTES, HeapShare.bytes())).compose(chunk -> {
                for (Entry entry : chunk.entries()) {
                    if (entry.batch().count() > 0 && entry.end() <= span.end()) {
                        read.add(entry.batch());
                    }
                    atEnd |= entry.end() >= span.end();
                }
                atEnd |= chunk.caughtUp();
                return next();
            });
        }
    }
}
