package io.plantline.pipeline.outbox;

import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.observe.DeadLetter;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.log.Disk;
import io.plantline.pipeline.outbox.log.Log;
import io.plantline.pipeline.outbox.log.LogReader;
import io.plantline.pipeline.outbox.log.LogRecord;
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
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of one target, on disk, until somebody replays or purges them; each is a record of its own. Opened when it
 * is first needed, since most targets never have one.
 */
final class DeadLetterLog {
    private static final int SEGMENT = 4 << 20;
    private static final long CHUNK = 1 << 20;
    private static final long ANSWER = 4 << 20;
    private static final long CLOSE_MILLIS = 2_000;

    private final ContextInternal context;
    private final String target;
    private final Path folder;
    private final Disk.Opener disks;
    private final LongSupplier maxBytes;
    private final DiskTrouble trouble;
    private @Nullable Future<Log> opening;
    private @Nullable Log log;
    private @Nullable Set<String> known;
    private Future<Long> changing = Future.succeededFuture(0L);
    private long nextSequence;
    private long stored;
    private long done;
    private long cursor;

    DeadLetterLog(
            ContextInternal context,
            String target,
            Path folder,
            Disk.Opener disks,
            LongSupplier maxBytes,
            DiskTrouble trouble) {
        this.context = context;
        this.target = target;
        this.folder = folder;
        this.disks = disks;
        this.maxBytes = maxBytes;
        this.trouble = trouble;
    }

    /** Opens it, if there is one already. */
    Future<Void> openIfThere() {
        return Files.isDirectory(folder) ? open().mapEmpty() : Future.succeededFuture();
    }

    private Future<Log> open() {
        if (opening == null || opening.failed()) {
            opening = context.executeBlocking(() -> Log.open(
                            target + "-dead",
                            disks.open(folder),
                            1,
                            state -> List.of(),
                            new Log.Options(TargetLogs.segmentBytes(SEGMENT, maxBytes.getAsLong()), 0),
                            trouble,
                            work -> context.runOnContext(v -> work.run())))
                    .map(opened -> {
                        log = opened;
                        LogState state = opened.recovered();
                        nextSequence = state.nextSequence();
                        stored = state.lane(0).stored();
                        done = state.lane(0).done();
                        cursor = state.lane(0).cursor();
                        return opened;
                    });
        }
        return opening;
    }

    /** Messages that can be listed, replayed and purged: those that are durable. */
    long count() {
        return log == null ? 0 : log.stored(0) - done;
    }

    /** Whether there is none, nor one that is about to be durable. */
    boolean isEmpty() {
        return stored == done;
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
            if (to.usedBytes() > maxBytes.getAsLong()) {
                return Future.failedFuture(Failure.operator(
                                "dead-letters-full",
                                "the dead letters of " + target + " take " + to.usedBytes()
                                        + " bytes; replay or purge some (plantline dlq)")
                        .asException());
            }
            List<Future<Void>> safe = new ArrayList<>();
            for (MessageBatch message : messages) {
                Promise<Void> durable = context.promise();
                to.submit(
                        new Stored(0, stored, message.numberedFrom(nextSequence), Identifiers.NONE), durable::complete);
                safe.add(durable.future());
                stored += message.count();
                nextSequence += message.count();
                if (known != null) {
                    known.add(Refusal.key(only(message).properties()));
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
        Set<String> keys = new HashSet<>();
        return walk(letter -> {
                    keys.add(Refusal.key(only(letter).properties()));
                    return true;
                })
                .map(v -> {
                    known = keys;
                    return keys;
                });
    }

    /**
     * The oldest of them from {@code from} on, as many as are asked for and fit into an answer.
     *
     * @param from id of the first
     */
    Future<List<DeadLetter>> list(long from, int limit) {
        List<DeadLetter> letters = new ArrayList<>();
        long[] bytes = new long[1];
        return walk(letter -> {
                    if (letter.firstSequence() >= from && letters.size() < limit) {
                        letters.add(Refusal.read(only(letter)));
                        bytes[0] += letter.sizeInBytes();
                    }
                    return letters.size() < limit && bytes[0] < ANSWER;
                })
                .map(v -> letters);
    }

    /**
     * Forgets all up to one.
     *
     * @return how many
     */
    Future<Long> purge(long upTo) {
        return alone(() -> {
            long[] gone = new long[2];
            return walk(letter -> {
                        if (letter.firstSequence() <= upTo) {
                            gone[0]++;
                            gone[1] = letter.firstSequence();
                        }
                        return letter.firstSequence() < upTo;
                    })
                    .compose(v -> end(gone[0], new Discarded(0, Loss.PURGED, gone[0], gone[1] + 1), gone[1]));
        });
    }

    /**
     * Gives all up to one to an outbox, as they were when they were refused, and forgets them. A crash in between gives some
     * of them again.
     *
     * @return how many; fails when the outbox has no room for more of them, which stay
     */
    Future<Long> replay(long upTo, Outbox to) {
        // What is refused again meanwhile is not replayed again.
        return alone(() -> replayPiece(Math.min(upTo, nextSequence - 1), to, 0));
    }

    private Future<Long> replayPiece(long upTo, Outbox to, long before) {
        List<MessageBatch> piece = new ArrayList<>();
        long[] bytes = new long[1];
        return walk(letter -> {
                    if (letter.firstSequence() <= upTo) {
                        piece.add(letter);
                        bytes[0] += letter.sizeInBytes();
                    }
                    return letter.firstSequence() < upTo && bytes[0] < CHUNK;
                })
                .compose(v -> {
                    if (piece.isEmpty()) {
                        return Future.succeededFuture(before);
                    }
                    List<MessageBatch> letters = new ArrayList<>();
                    for (MessageBatch letter : piece) {
                        MessageCursor message = only(letter);
                        MessageBatch.Builder builder = new MessageBatch.Builder(letter.sizeInBytes());
                        builder.addChanged(message, Refusal.unmark(message.properties()), message.payload());
                        letters.add(Batches.withoutGaps(builder.build()));
                    }
                    long count = piece.size();
                    long last = piece.get(piece.size() - 1).firstSequence();
                    return to.takeBack(letters)
                            .compose(all -> end(count, new Committed(0, last, count, 0, 0), last))
                            .compose(ended -> replayPiece(upTo, to, before + count));
                });
    }

    /** One after the other: each begins where the one before has ended. */
    private Future<Long> alone(Supplier<Future<Long>> work) {
        Future<Long> mine = changing.transform(before -> work.get());
        changing = mine;
        return mine;
    }

    private Future<Long> end(long count, LogRecord ending, long last) {
        Log from = log;
        if (count == 0 || from == null) {
            return Future.succeededFuture(0L);
        }
        Promise<Long> durable = context.promise();
        from.submit(ending, () -> durable.complete(count));
        done += count;
        cursor = last + 1;
        known = null;
        return durable.future();
    }

    /** Sees a letter; false if that is enough. On a worker thread. */
    private interface Reader {
        boolean read(MessageBatch letter);
    }

    /** A record holds one message. */
    private static MessageCursor only(MessageBatch letter) {
        MessageCursor message = letter.cursor();
        message.next();
        return message;
    }

    /** Shows them one by one: all of them may be more than fits into memory. */
    private Future<Void> walk(Reader visitor) {
        if (!Files.isDirectory(folder)) {
            return Future.succeededFuture();
        }
        return open().compose(from -> {
            LogReader reader = from.reader(0, cursor, done);
            return context.executeBlocking(() -> {
                walk(reader, visitor);
                return null;
            });
        });
    }

    private static void walk(LogReader reader, Reader visitor) throws IOException {
        LogReader.Chunk chunk;
        do {
            chunk = reader.read(CHUNK);
            for (LogReader.Item item : chunk.items()) {
                Stored record = item.stored();
                if (record != null && !visitor.read(record.batch())) {
                    return;
                }
            }
        } while (!chunk.caughtUp());
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
