package io.plantline.runtime;

import io.plantline.config.TargetDefinition;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Targets as earlier configurations had them, as long as messages wait for them, or other nodes may still ask for them. Used on
 * the context of the house; what is there may be looked at from anywhere.
 */
final class FormerRooms {
    private static final Logger LOG = LoggerFactory.getLogger(FormerRooms.class);

    /** Other nodes may have messages for a definition that this document has not any more: they get this long. */
    private static final Duration FORMER_FOR_OTHERS = Duration.ofMinutes(10);

    private final Vertx vertx;
    private final @Nullable DataDirectory data;
    private final Processors processors;
    private final boolean hasOutboxes;

    /** By name and fingerprint. */
    private final Map<String, TargetRoom> rooms = new ConcurrentHashMap<>();

    /** Those that are on their way out, by name and fingerprint. */
    private final Map<String, Future<?>> closing = new HashMap<>();

    /**
     * None yet.
     *
     * @param hasOutboxes whether messages wait on this node
     */
    FormerRooms(Vertx vertx, @Nullable DataDirectory data, Processors processors, boolean hasOutboxes) {
        this.vertx = vertx;
        this.data = data;
        this.processors = processors;
        this.hasOutboxes = hasOutboxes;
    }

    /** Name and fingerprint. */
    static String key(TargetDefinition target) {
        return target.name() + "-" + target.fingerprint();
    }

    @Nullable
    TargetRoom get(String key) {
        return rooms.get(key);
    }

    Collection<TargetRoom> all() {
        return rooms.values();
    }

    /** Names and fingerprints. */
    Set<String> names() {
        return rooms.keySet();
    }

    /** One that an earlier start has left. */
    void add(String key, TargetRoom room) {
        rooms.put(key, room);
    }

    /** One that the configuration has not any more. */
    void retire(TargetRoom room) {
        String key = key(room.definition().target());
        room.ledger().rename(key);
        rooms.put(key, room);
    }

    /** One that the configuration has again. */
    void remove(String key, TargetRoom room) {
        rooms.remove(key, room);
    }

    /** Completes when those that are on their way out are closed. */
    Future<?> closed() {
        return Future.join(List.copyOf(closing.values()));
    }

    /**
     * Closes those that nobody needs any more.
     *
     * @param keep whether nothing may close now after all
     * @param then what is to be done when one is closed
     */
    void closeDone(BooleanSupplier keep, Supplier<Future<Void>> then) {
        List.copyOf(rooms.entrySet())
                .forEach(entry -> isDone(entry.getValue()).onSuccess(done -> {
                    if (done && !keep.getAsBoolean() && rooms.remove(entry.getKey(), entry.getValue())) {
                        closing.put(
                                entry.getKey(),
                                close(entry.getKey(), entry.getValue()).eventually(then));
                    }
                }));
    }

    private Future<Boolean> isDone(TargetRoom room) {
        if (hasOutboxes) {
            return room.outbox().isDone();
        }
        long used = Math.max(
                room.usedNanos(), processors.usedNanos(room.definition().processors(), room.usedNanos()));
        return Future.succeededFuture(System.nanoTime() - used > FORMER_FOR_OTHERS.toNanos());
    }

    private Future<Void> close(String key, TargetRoom room) {
        return room.close()
                .eventually(() -> {
                    if (hasOutboxes) {
                        LOG.info(
                                "OUTBOX-DRAINED: all of {} is delivered: {}",
                                key,
                                room.ledger().snapshot());
                    } else {
                        LOG.info("TARGET-CLOSED: no node has asked for {} for a while", key);
                    }
                    return room.storage().folder().map(this::removeTarget).orElseGet(Future::succeededFuture);
                })
                .onComplete(closed -> closing.remove(key));
    }

    private Future<Void> removeTarget(Path folder) {
        DataDirectory directory = data;
        if (directory == null) {
            return Future.succeededFuture();
        }
        return vertx.<Void>executeBlocking(() -> {
                    directory.removeTarget(folder);
                    return null;
                })
                .onFailure(e -> LOG.warn("{} is empty and cannot be removed: {}", folder, e.toString()));
    }

    /**
     * What a former definition cannot deliver until somebody acts is delivered by the present one: that is the act.
     *
     * @param present by target name
     */
    void moveHeld(Map<String, TargetRoom> present) {
        if (!hasOutboxes) {
            return;
        }
        rooms.forEach((key, held) -> {
            TargetRoom now = present.get(held.definition().target().name());
            if (now != null) {
                held.outbox()
                        .moveTo(now.outbox())
                        .onSuccess(moved -> {
                            if (moved > 0) {
                                LOG.warn(
                                        "OUTBOX-MOVED: {} messages that {} could not deliver are with {} now",
                                        moved,
                                        key,
                                        now.definition().target().name());
                            }
                        })
                        .onFailure(e -> LOG.warn("what {} cannot deliver could not be moved: {}", key, e.toString()));
            }
        });
    }
}
