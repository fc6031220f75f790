package io.plantline.runtime;

import io.plantline.config.ProcessorDefinition;
import io.plantline.pipeline.process.ProcessorVerticle;
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
import java.util.Set;
import java.util.stream.Collectors;

/** The processors of present and former targets: each definition once, whoever uses it. */
final class Processors {
    private final Vertx vertx;
    private final Secrets secrets;

    /** By name and fingerprint. */
    private final Map<String, Future<Room>> rooms = new HashMap<>();

    Processors(Vertx vertx, Secrets secrets) {
        this.vertx = vertx;
        this.secrets = secrets;
    }

    private static String key(ProcessorDefinition processor) {
        return processor.name() + "-" + processor.fingerprint();
    }

    /** Opens those that are not open yet; with {@code probe} it fails if one has to wait for somebody to act. */
    Future<Void> open(Collection<ProcessorDefinition> some, boolean probe) {
        List<Future<Room>> opened = new ArrayList<>();
        for (ProcessorDefinition processor : some) {
            opened.add(rooms.computeIfAbsent(key(processor), key -> open(key, processor, probe)));
        }
        return Future.join(opened)
                .<Void>mapEmpty()
                .onFailure(e -> rooms.values().removeIf(Future::failed));
    }

    private Future<Room> open(String key, ProcessorDefinition processor, boolean probe) {
        Room room = new Room(vertx, "processor-" + key, processor.instances());
        TargetContext context = new SectionContext(vertx, processor.name(), null, room.workers(), secrets);
        return room.open(
                        processor.instances(),
                        () -> new ProcessorVerticle(
                                processor.name(),
                                processor.fingerprint(),
                                () -> create(processor.factory(), processor, context),
                                probe))
                .onFailure(e -> room.close())
                .map(room);
    }

    /** Closes those that none of {@code used} is. */
    Future<Void> retain(Collection<ProcessorDefinition> used) {
        Set<String> keys = used.stream().map(Processors::key).collect(Collectors.toSet());
        List<Future<Void>> closed = new ArrayList<>();
        for (String key : List.copyOf(rooms.keySet())) {
            Future<Room> room = rooms.get(key);
            if (room != null && !keys.contains(key)) {
                rooms.remove(key);
                closed.add(room.compose(Room::close));
            }
        }
        return Future.join(closed).mapEmpty();
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Processor create(
            ProcessorFactory<C> factory, ProcessorDefinition processor, TargetContext context) {
        return factory.create((C) processor.config(), context);
    }
}
