package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.observe.DeadLetter;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogReader;
import io.plantline.pipeline.outbox.log.LogRecord.Committed;
import io.plantline.pipeline.outbox.log.LogRecord.Discarded;
import io.plantline.pipeline.outbox.log.LogRecord.Loss;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.pipeline.outbox.log.LogState;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of one target, on disk, until somebody replays or purges them; each is a record of its own. Opened when it
 * is first needed, since most targets never have one.
 */
final class DeadLetterLog {
    private static final int SEGMENT = 4 << 20;
    private static final long CHUNK = 1 << 20;
    private static final long CLOSE_MILLIS = 2_000;

    private final ContextInternal context;
    private final String target;
    private final Path folder;
    private final long maxBytes;
    private final DiskTrouble trouble;
    private @Nullable Future<Log> opening;
    private @Nullable Log log;
    private @Nullable Set<String> known;
    private long nextSequence;
    private long stored;
    private long done;
    private long cursor;

    DeadLetterLog(ContextInternal context, String target, Path folder, long maxBytes, DiskTrouble trouble) {
        this.context = context;
        this.target = target;
        this.folder = folder;
        this.maxBytes = maxBytes;
        this.trouble = trouble;
    }

    /** Opens it, if there is one already. */
    Future<Void> openIfThere() {
        return Files.isDirectory(folder) ? open().mapEmpty() : Future.succeededFuture();
    }

    private Future<Log> open() {
        if (opening == null || opening.failed()) {
            opening = context.executeBlocking(() -> {
                        Files.createDirectories(folder);
                        return Log.open(
                                target + "-dead",
                                new FileDisk(folder),
                                1,
                                state -> List.of(),
                                new Log.Options(SEGMENT, 0),
                                trouble,
                                work -> context.runOnContext(v -> work.run()));
                    })
                    .onSuccess(opened -> {
                        log = opened;
                        LogState state = opened.recovered();
                        nextSequence = state.nextSequence();
                        stored = state.lane(0).stored();
                        done = state.lane(0).done();
                        cursor = state.lane(0).cursor();
                    });
        }
        return opening;
    }

    /** Messages in it. */
    long count() {
        return stored - done;
    }

    long usedBytes() {
        return log == null ? 0 : log.usedBytes();
    }

    /**
     * Keeps messages, each as a batch of its own.
     *
     * @return fails for the operator if there is no room: dead letters are never dropped
     */
    Future<Void> append(List<MessageBatch> messages) {
        return open().compose(to -> {
            if (to.usedBytes() > maxBytes) {
                return Future.failedFuture(Failure.operator(
                                "dead-letters-full",
                                "the dead letters of " + target + " take " + to.usedBytes()
                                        + " bytes; replay or purge some (plantline dlq)")
                        .asException());
            }
            List<Future<Void>> safe = new ArrayList<>();
            for (MessageBatch message : messages) {
                Promise<Void> durable = context.promise();
                to.submit(new Stored(0, stored, message.numberedFrom(nextSequence), 0, new int[0]), durable::complete);
                safe.add(durable.future());
                stored += message.count();
                nextSequence += message.count();
                if (known != null) {
                    MessageCursor added = message.cursor();
                    while (added.next()) {
                        known.add(Refusal.key(added.properties()));
                    }
                }
            }
            return Future.all(safe).mapEmpty();
        });
    }

    /** Which messages are here already, by {@link Refusal#key}: a crash may have come before their plan was done. */
    Future<Set<String>> known() {
        if (known != null) {
            return Future.succeededFuture(known);
        }
        return walk(Long.MAX_VALUE, Integer.MAX_VALUE).map(all -> {
            Set<String> keys = new HashSet<>();
            for (MessageBatch batch : all) {
                MessageCursor message = batch.cursor();
                while (message.next()) {
                    keys.add(Refusal.key(message.properties()));
                }
            }
            known = keys;
            return keys;
        });
    }

    /** The oldest of them. */
    Future<List<DeadLetter>> list(int limit) {
        return walk(Long.MAX_VALUE, limit).map(batches -> {
            List<DeadLetter> letters = new ArrayList<>();
            for (MessageBatch batch : batches) {
                MessageCursor message = batch.cursor();
                while (message.next()) {
                    letters.add(Refusal.read(message));
                }
            }
            return letters;
        });
    }

    /**
     * Forgets all up to one.
     *
     * @return how many
     */
    Future<Long> purge(long upTo) {
        return walk(upTo, Integer.MAX_VALUE)
                .compose(gone -> end(gone, (count, last) -> new Discarded(0, Loss.PURGED, count, last + 1)));
    }

    /**
     * Gives all up to one to an outbox, as they were when they were refused, and forgets them. A crash in between gives some
     * of them again.
     *
     * @return how many
     */
    Future<Long> replay(long upTo, Outbox to) {
        return walk(upTo, Integer.MAX_VALUE).compose(gone -> {
            List<Future<Void>> taken = new ArrayList<>();
            for (MessageBatch batch : gone) {
                MessageBatch.Builder builder = new MessageBatch.Builder(batch.sizeInBytes());
                MessageCursor message = batch.cursor();
                int lane = 0;
                while (message.next()) {
                    lane = Outbox.laneOf(message.topic(), to.lanes());
                    builder.addChanged(message, Refusal.unmark(message.properties()), message.payload());
                }
                taken.add(to.append(lane, Batches.withoutGaps(builder.build())));
            }
            return Future.all(taken).compose(v -> end(gone, (count, last) -> new Committed(0, last, count, 0, 0)));
        });
    }

    /** What ends messages in the log. */
    private interface Ending {
        io.plantline.pipeline.outbox.log.LogRecord of(long count, long last);
    }

    private Future<Long> end(List<MessageBatch> gone, Ending ending) {
        Log from = log;
        if (gone.isEmpty() || from == null) {
            return Future.succeededFuture(0L);
        }
        long count = gone.stream().mapToLong(MessageBatch::count).sum();
        MessageBatch newest = gone.get(gone.size() - 1);
        long last = newest.firstSequence() + newest.count() - 1;
        Promise<Long> durable = context.promise();
        from.submit(ending.of(count, last), () -> durable.complete(count));
        done += count;
        cursor = last + 1;
        known = null;
        return durable.future();
    }

    private Future<List<MessageBatch>> walk(long upTo, int limit) {
        if (!Files.isDirectory(folder)) {
            return Future.succeededFuture(List.of());
        }
        return open().compose(from -> {
            LogReader reader = from.reader(0, cursor, done);
            return context.executeBlocking(() -> read(reader, upTo, limit));
        });
    }

    private static List<MessageBatch> read(LogReader reader, long upTo, int limit) throws IOException {
        List<MessageBatch> found = new ArrayList<>();
        LogReader.Chunk chunk;
        do {
            chunk = reader.read(CHUNK);
            for (LogReader.Item item : chunk.items()) {
                Stored record = item.stored();
                if (record != null && found.size() < limit && record.batch().firstSequence() <= upTo) {
                    found.add(record.batch());
                }
            }
        } while (!chunk.caughtUp() && found.size() < limit);
        return found;
    }

    Future<Void> close() {
        Log open = log;
        return open == null
                ? Future.succeededFuture()
                : context.executeBlocking(() -> {
                    open.close(CLOSE_MILLIS);
                    return null;
                });
    }
}
