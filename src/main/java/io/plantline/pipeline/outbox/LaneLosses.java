package io.plantline.pipeline.outbox;

import java.util.ArrayList;
import java.util.List;

/** Messages of a lane that nobody gets: damage on disk has taken them, or they are too old. Each is accounted for, once. */
final class LaneLosses {
    private final Relay relay;
    private final Journal journal;
    private final int lane;
    private final LaneQueue queue;
    private final LaneReader reader;
    private final AgeClock ageClock = new AgeClock();

    /** Holes in what a plan has, which are accounted for when it is done. */
    private final List<Entry> holes = new ArrayList<>();

    LaneLosses(Relay relay, Journal journal, int lane, LaneQueue queue, LaneReader reader) {
        this.relay = relay;
        this.journal = journal;
        this.lane = lane;
        this.queue = queue;
        this.reader = reader;
    }

    /** Whether no hole that was taken out of the queue is still to be accounted for. */
    boolean areSettled() {
        return holes.isEmpty();
    }

    /** Messages that damage took are accounted for when their turn comes. */
    void skipHoles() {
        Entry head = queue.peek();
        while (head != null && head.lost() > 0) {
            relay.accounts().lost(lane, queue.removeHole());
            if (head.batch().count() == 0) {
                reader.remove();
            }
            head = queue.peek();
        }
    }

    /** A hole within a plan is accounted for when the plan is: before that the lane still needs what is in front of it. */
    void stripHole() {
        Entry head = queue.peek();
        if (head != null && head.lost() > 0) {
            holes.add(queue.removeHole());
        }
    }

    /** The plan that had holes in it is through. */
    void accountForHoles() {
        holes.forEach(hole -> relay.accounts().lost(lane, hole));
        holes.clear();
    }

    /** What is older than the configuration wants goes. */
    void skipExpired() {
        long maxAge = relay.target().limits().maxAge().toMillis() * 1_000;
        if (maxAge == 0 || !journal.isDurable()) {
            return;
        }
        long oldest = ageClock.micros() - maxAge;
        long expired = 0;
        long next = 0;
        Entry head = queue.peek();
        while (head != null && head.lost() == 0 && head.newestMicros() < oldest) {
            expired += head.batch().count();
            next = head.end();
            reader.remove();
            head = queue.peek();
        }
        if (expired > 0) {
            relay.accounts().expired(lane, expired, next);
        }
    }
}
