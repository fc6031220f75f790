package io.plantline.runtime;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The part of the heap in which plans become objects, for all targets of a process. After an outage all of them have large plans, each
 * in several lanes: together they would need more than there is, and the process would end, start with the same plans, and end again.
 *
 * <p>First come, first served; but a target that has some gets no more than half, so that one whose store hangs does not keep all
 * others waiting; and who needs more than there is gets all of it, alone.
 */
final class PublishingHeap {
    private final long bytes;
    private final Map<String, Long> held = new HashMap<>();
    private final List<Claim> waiting = new ArrayList<>();
    private long free;

    private record Claim(String who, long bytes, Context caller, Promise<Void> admitted) {}

    PublishingHeap(long bytes) {
        this.bytes = bytes;
        this.free = bytes;
    }

    /**
     * Runs work when there is room for it, on the caller's context.
     *
     * @param who the target
     * @param needed bytes
     */
    <T> Future<T> with(Context caller, String who, long needed, Supplier<Future<T>> work) {
        Claim claim = new Claim(who, Math.min(needed, bytes), caller, Promise.promise());
        boolean now;
        synchronized (this) {
            waiting.add(claim);
            now = admit().contains(claim);
        }
        Future<T> done = now ? begin(work) : claim.admitted.future().compose(v -> begin(work));
        return done.eventually(() -> {
            giveBack(claim);
            return Future.succeededFuture();
        });
    }

    private static <T> Future<T> begin(Supplier<Future<T>> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    private void giveBack(Claim claim) {
        List<Claim> next;
        synchronized (this) {
            free += claim.bytes;
            held.computeIfPresent(claim.who, (who, has) -> has == claim.bytes ? null : has - claim.bytes);
            next = admit();
        }
        next.forEach(one -> one.caller.runOnContext(v -> one.admitted.complete()));
    }

    /** Those for which there is room now. Who waits for its own target lets others pass; who waits for room does not. */
    private List<Claim> admit() {
        List<Claim> admitted = new ArrayList<>();
        Iterator<Claim> each = waiting.iterator();
        while (each.hasNext()) {
            Claim claim = each.next();
            long has = held.getOrDefault(claim.who, 0L);
            if (has > 0 && has + claim.bytes > bytes / 2) {
                continue;
            }
            if (claim.bytes > free) {
                break;
            }
            free -= claim.bytes;
            held.put(claim.who, has + claim.bytes);
            admitted.add(claim);
            each.remove();
        }
        return admitted;
    }
}
