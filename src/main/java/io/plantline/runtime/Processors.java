package io.plantline.runtime;

import io.plantline.config.ProcessorDefinition;
import io.plantline.pipeline.process.ProcessorVerticle;
import io.plantline.spi.Memory;
import io.plantline.spi.Processor;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** The processors of present and former targets: each definition once, whoever uses it. Used on the context of the house. */
final class Processors {
    private final Vertx vertx;
    private final Secrets secrets;
    private final boolean process;

    /** By name and fingerprint. */
    private final Map<String, Seat> seats = new HashMap<>();

    /**
     * None yet.
     *
     * @param process whether this node processes; if not, none is ever opened
     */
    Processors(Vertx vertx, Secrets secrets, boolean process) {
        this.process = process;
        this.vertx = vertx;
        this.secrets = secrets;
    }

    /** One processor. */
    private final class Seat {
        private final ProcessorDefinition definition;
        private final Room<ProcessorVerticle> room;
        private final Memory memory = new SectionMemory();
        private final AtomicLong warnings = new AtomicLong();
        private Future<Void> opened = Future.succeededFuture();
        private boolean leaving;

        Seat(ProcessorDefinition definition) {
            this.definition = definition;
            this.room = new Room<>(vertx, "processor-" + key(definition), definition.instances());
        }

        Processor create() {
            return Processors.create(
                    definition.factory(),
                    definition,
                    new SectionContext(vertx, definition.name(), null, room.workers(), secrets, memory, warnings));
        }

        /** The processor, with the certificates and credentials of now. */
        Rotation.User user() {
            return new Rotation.User(
                    "processor " + definition.name(),
                    definition.material(),
                    () -> room.each(verticle -> verticle.replace(this::create, false)));
        }

        /** Completes when nothing is with it. */
        Future<Void> idle() {
            return Future.join(room.verticles().stream()
                            .map(ProcessorVerticle::idle)
                            .toList())
                    .mapEmpty();
        }
    }

    private static String key(ProcessorDefinition processor) {
        return processor.name() + "-" + processor.fingerprint();
    }

    /** Opens those that are not open yet; with {@code probe} it fails if somebody must act before one can be opened. */
    Future<Void> open(Collection<ProcessorDefinition> some, boolean probe) {
        List<Future<Void>> opened = new ArrayList<>();
        for (ProcessorDefinition processor : process ? some : List.<ProcessorDefinition>of()) {
            Seat seat = seats.computeIfAbsent(key(processor), key -> open(processor, probe));
            seat.leaving = false;
            opened.add(seat.opened);
        }
        return Future.join(opened)
                .<Void>mapEmpty()
                .onFailure(e -> seats.values().removeIf(seat -> seat.opened.failed()));
    }

    private Seat open(ProcessorDefinition processor, boolean probe) {
        Seat seat = new Seat(processor);
        seat.opened = seat.room
                .open(
                        processor.instances(),
                        () -> new ProcessorVerticle(processor.name(), processor.fingerprint(), seat::create, probe))
                .onFailure(e -> seat.room.close());
        return seat;
    }

    /** When one of them had something to do last, as of {@link System#nanoTime}, and {@code otherwise} if none is open. */
    long usedNanos(Collection<ProcessorDefinition> some, long otherwise) {
        return some.stream()
                .map(processor -> seats.get(key(processor)))
                .filter(Objects::nonNull)
                .flatMap(seat -> Objects.requireNonNull(seat).room.verticles().stream())
                .mapToLong(ProcessorVerticle::usedNanos)
                .max()
                .orElse(otherwise);
    }

    /** Who uses certificates and credentials. */
    List<Rotation.User> users() {
        return seats.values().stream()
                .filter(seat -> seat.opened.succeeded() && !seat.leaving)
                .map(Seat::user)
                .toList();
    }

    /** Those that none of {@code used} is leave when they have finished what they have, unless they are used again before. */
    void retain(Collection<ProcessorDefinition> used) {
        Set<String> keys = used.stream().map(Processors::key).collect(Collectors.toSet());
        seats.forEach((key, seat) -> {
            if (!keys.contains(key) && !seat.leaving && seat.opened.succeeded()) {
                seat.leaving = true;
                seat.idle().onComplete(v -> {
                    if (seat.leaving && seats.remove(key, seat)) {
                        seat.room.close();
                    }
                });
            }
        });
    }

    Future<Void> close() {
        return Future.join(
                        seats.values().stream().map(seat -> seat.room.close()).toList())
                .mapEmpty();
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Processor create(
            ProcessorFactory<C> factory, ProcessorDefinition processor, TargetContext context) {
        return factory.create((C) processor.config(), context);
    }
}
