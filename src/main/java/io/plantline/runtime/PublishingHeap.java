package io.plantline.runtime;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of the heap in which plans become objects, for all targets of a process. After an outage all of them have large plans, each
 * in several lanes: together they would need more than there is, and the process would end, start with the same plans, and end again.
 *
 * <p>First come, first served. A target that has some gets no more than half, and who needs more than there is gets all of it, alone.
 * What somebody has for too long while others wait does not count any more, so that a store that hangs stops nobody but its
 * own target.
 */
final class PublishingHeap {
    private static final Logger LOG = LoggerFactory.getLogger(PublishingHeap.class);

    private final long bytes;
    private final Duration patience;
    private final List<Claim> waiting = new ArrayList<>();
    private final Set<Claim> admitted = new HashSet<>();

    /**
     * A part of the heap.
     *
     * @param patience how long others wait for what somebody has
     */
    PublishingHeap(long bytes, Duration patience) {
        this.bytes = bytes;
        this.patience = patience;
    }

    /** What somebody has, or waits for. */
    private static final class Claim {
        private final Object who;
        private final String name;
        private final long bytes;
        private final Context caller;
        private final Promise<Void> begin = Promise.promise();
        private long sinceNanos;
        private boolean counts = true;

        Claim(Object who, String name, long bytes, Context caller) {
            this.who = who;
            this.name = name;
            this.bytes = bytes;
            this.caller = caller;
        }
    }

    /**
     * Runs work when there is room for it, on the caller's context.
     *
     * @param who the definition of the target
     * @param name of it, for the log
     * @param needed bytes
     */
    <T> Future<T> with(Context caller, Object who, String name, long needed, Supplier<Future<T>> work) {
        Claim claim = new Claim(who, name, Math.min(needed, bytes), caller);
        boolean now;
        synchronized (this) {
            waiting.add(claim);
            now = admit().contains(claim);
        }
        if (!now) {
            lookAgain(claim);
        }
        Future<T> done = now ? begin(work) : claim.begin.future().compose(v -> begin(work));
        return done.eventually(() -> {
            giveBack(claim);
            return Future.succeededFuture();
        });
    }

    private static <T> Future<T> begin(Supplier<Future<T>> work) {
        try {
            return work.get();
        } catch (RuntimeException | LinkageError e) {
            return Future.failedFuture(e);
        }
    }

    private void giveBack(Claim claim) {
        List<Claim> next;
        synchronized (this) {
            admitted.remove(claim);
            next = admit();
        }
        beginAll(next);
    }

    private void lookAgain(Claim claim) {
        claim.caller.owner().setTimer(patience.toMillis(), timer -> {
            List<Claim> next;
            boolean waits;
            synchronized (this) {
                forgetWhatIsHeldForLong();
                next = admit();
                waits = waiting.contains(claim);
            }
            beginAll(next);
            if (waits) {
                lookAgain(claim);
            }
        });
    }

    private static void beginAll(List<Claim> claims) {
        claims.forEach(claim -> claim.caller.runOnContext(v -> claim.begin.complete()));
    }

    private void forgetWhatIsHeldForLong() {
        long now = System.nanoTime();
        for (Claim claim : admitted) {
            if (claim.counts && now - claim.sinceNanos >= patience.toNanos()) {
                claim.counts = false;
                LOG.warn(
                        "HEAP-SHORT: {} has had {} KiB of the heap for more than {} s to write a plan while others wait; they go on without",
                        claim.name,
                        claim.bytes >> 10,
                        patience.toSeconds());
            }
        }
    }

    /**
     * Those for which there is room now. Who waits for what its own target has lets those of others pass; who waits for room does
     * not.
     */
    private List<Claim> admit() {
        List<Claim> next = new ArrayList<>();
        Set<Object> full = new HashSet<>();
        Iterator<Claim> each = waiting.iterator();
        while (each.hasNext()) {
            Claim claim = each.next();
            long has = held(other -> other.who.equals(claim.who));
            if (full.contains(claim.who) || (has > 0 && has + claim.bytes > bytes / 2)) {
                full.add(claim.who);
                continue;
            }
            if (claim.bytes > bytes - held(other -> other.counts)) {
                break;
            }
            claim.sinceNanos = System.nanoTime();
            admitted.add(claim);
            next.add(claim);
            each.remove();
        }
        return next;
    }

    private long held(Predicate<Claim> by) {
        return admitted.stream().filter(by).mapToLong(claim -> claim.bytes).sum();
    }
}
