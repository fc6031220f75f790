package io.plantline.pipeline.outbox;

import io.plantline.config.TargetDefinition.Limits;
import io.plantline.config.TargetDefinition.OnFull;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the log of a relay within its size: when it is full, whoever sends waits, or the newest or oldest messages are dropped
 * and counted, as the configuration says. What a publisher has is never dropped.
 */
final class SizeLimit {
    private static final Logger LOG = LoggerFactory.getLogger(SizeLimit.class);

    private final Relay relay;
    private final Journal journal;
    private final Books books;
    private final Lane[] lanes;
    private final @Nullable SizeLimit next;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private long storingBytes;
    private boolean dropping;
    private boolean cutting;
    /** Lanes whose last drop is not in the journal yet: what comes free by it is not known. */
    private int unwritten;

    private Runnable whenFreed = () -> {};
    private Runnable whenDropped = () -> {};

    /**
     * The limit of a relay.
     *
     * @param next that of who publishes what this relay processes: both share the room; null: this relay publishes itself
     */
    SizeLimit(Relay relay, Journal journal, Books books, Lane[] lanes, @Nullable SizeLimit next) {
        this.relay = relay;
        this.journal = journal;
        this.books = books;
        this.lanes = lanes;
        this.next = next;
        if (next != null) {
            next.whenFreed = this::freed;
            next.whenDropped = this::makeRoom;
        }
    }

    private Limits limits() {
        return relay.target().limits();
    }

    /** On disk, and on the way there. */
    long usedBytes() {
        return journal.usedBytes() + storingBytes + (next == null ? 0 : next.usedBytes());
    }

    /** Whether messages are taken at once. */
    boolean hasRoom() {
        return usedBytes() <= limits().maxBytes() && waiting.isEmpty();
    }

    /** So many bytes are on their way to the disk; or are there, and counted as such, if negative. */
    void storing(long bytes) {
        storingBytes += bytes;
    }

    /** Lets messages in as soon as there is room; or tells that they were dropped. */
    void admit(int messages, Runnable store, Promise<Void> safe) {
        if (hasRoom()) {
            dropping &= usedBytes() > limits().maxBytes() / 4 * 3;
            store.run();
        } else if (limits().onFull() == OnFull.DROP_NEWEST) {
            refuse(messages, safe);
        } else {
            await(store);
        }
    }

    private void refuse(int messages, Promise<Void> safe) {
        if (!dropping) {
            LOG.error(
                    "OUTBOX-FULL: the outbox of {} is full, new messages are dropped and counted",
                    relay.target().name());
        }
        dropping = true;
        relay.accounts().refused(messages);
        safe.complete();
    }

    private void await(Runnable store) {
        boolean dropOldest = limits().onFull() == OnFull.DROP_OLDEST;
        if (waiting.isEmpty() && !dropping) {
            LOG.error(
                    "OUTBOX-FULL: the outbox of {} has {} bytes, its limit; {}",
                    relay.target().name(),
                    usedBytes(),
                    dropOldest ? "the oldest messages are dropped and counted" : "sessions that route there wait");
        }
        dropping = dropOldest;
        books.full(!dropOldest);
        waiting.add(store);
        makeRoom();
    }

    /** A lane's drop is on its way to the journal. */
    void dropped() {
        unwritten++;
    }

    /** It is there. */
    void dropWritten() {
        unwritten--;
        freed();
        makeRoom();
        whenDropped.run();
    }

    /** There may be room again. */
    void freed() {
        while (!waiting.isEmpty() && usedBytes() <= limits().maxBytes()) {
            waiting.remove().run();
            if (waiting.isEmpty() && !dropping) {
                books.full(false);
                LOG.info("the outbox of {} has room again", relay.target().name());
            }
        }
        whenFreed.run();
    }

    /** Drops the oldest messages, if somebody waits for room and the configuration wants that. */
    void makeRoom() {
        boolean done = !cutting && unwritten == 0 && (next == null || next.unwritten == 0);
        if (limits().onFull() == OnFull.DROP_OLDEST && !waiting.isEmpty() && done && !relay.isClosed()) {
            cutting = true;
            cutOldest().onComplete(cut -> cutting = false).onFailure(e -> relay.cannotRead(lanes[0], e));
        }
    }

    /** The processed ones are the oldest; completes with whether something was dropped. */
    private Future<Boolean> cutOldest() {
        return (next == null ? Future.succeededFuture(false) : next.cutOldest())
                .compose(done -> done || !canDrop() ? Future.succeededFuture(done) : cutBehind(placesToCut(), 0));
    }

    /** Behind what all lanes keep; or else, if one keeps what is near the end, behind what others do. */
    private long[] placesToCut() {
        return Arrays.stream(lanes)
                .mapToLong(Lane::droppableFrom)
                .distinct()
                .map(place -> -place)
                .sorted()
                .map(place -> -place)
                .toArray();
    }

    private Future<Boolean> cutBehind(long[] places, int tried) {
        if (tried == places.length) {
            return Future.succeededFuture(false);
        }
        return journal.cut(places[tried])
                .compose(cut -> cut.isPresent() && isWorth(cut.get(), tried) && dropBefore(cut.get())
                        ? Future.succeededFuture(true)
                        : cutBehind(places, tried + 1));
    }

    /** Behind what all keep also a cut that drops nothing can make room. */
    private boolean isWorth(Journal.Cut cut, int tried) {
        return tried == 0
                || Arrays.stream(lanes).mapToLong(lane -> lane.droppable(cut)).sum() > 0;
    }

    private boolean canDrop() {
        return Arrays.stream(lanes).allMatch(Lane::canDrop);
    }

    private boolean dropBefore(Journal.Cut cut) {
        if (relay.isClosed() || !canDrop()) {
            return false;
        }
        long dropped = 0;
        for (Lane lane : lanes) {
            dropped += lane.drop(cut);
        }
        return dropped > 0;
    }
}
