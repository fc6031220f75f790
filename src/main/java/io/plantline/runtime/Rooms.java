package io.plantline.runtime;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.IdleOutbox;
import io.plantline.pipeline.outbox.OutboxVerticle;
import io.plantline.pipeline.process.ProcessorVerticle;
import io.plantline.spi.Processor;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The targets of a configuration, their processors, and what is left of targets that earlier configurations had. */
final class Rooms {
    private static final Logger LOG = LoggerFactory.getLogger(Rooms.class);
    private static final long LOOK_MILLIS = 5_000;

    private final Vertx vertx;
    private final Configuration configuration;
    private final @Nullable DataDirectory data;
    private final Secrets secrets;
    private final Function<String, Definition> definitions;
    /** By target name. */
    private final Map<String, TargetRoom> rooms = new LinkedHashMap<>();
    /** Definitions whose logs are not empty yet, by name and fingerprint. */
    private final Map<String, TargetRoom> former = new ConcurrentHashMap<>();
    /** By name and fingerprint. */
    private final Map<String, Room> processors = new LinkedHashMap<>();

    Rooms(
            Vertx vertx,
            Configuration configuration,
            Secrets secrets,
            Function<String, Definition> definitions,
            @Nullable DataDirectory data) {
        this.vertx = vertx;
        this.configuration = configuration;
        this.secrets = secrets;
        this.definitions = definitions;
        this.data = data;
    }

    /** Opens them all. A target that is down does not keep its room from opening. */
    Future<Void> open() {
        for (TargetDefinition target : configuration.targets().values()) {
            List<ProcessorDefinition> steps = target.processors().stream()
                    .map(name -> Optional.ofNullable(configuration.processors().get(name))
                            .orElseThrow())
                    .toList();
            rooms.put(target.name(), room(target.name(), new Definition(target, steps)));
        }
        findFormer();
        List<TargetRoom> all = all();
        return each(all, TargetRoom::openPublishers)
                .compose(v -> each(all, this::openProcessors))
                .compose(v -> each(all, TargetRoom::openOutbox))
                .onSuccess(v -> all.forEach(room -> room.outbox().resume()))
                .onSuccess(v -> vertx.setPeriodic(LOOK_MILLIS, id -> closeDrained()));
    }

    private TargetRoom room(String name, Definition definition) {
        return new TargetRoom(vertx, name, definition, storage(definition.target()), secrets, this::present);
    }

    private @Nullable Outbox present(String target) {
        TargetRoom room = rooms.get(target);
        return room == null ? null : room.outbox();
    }

    /** Present and former definitions. */
    List<TargetRoom> all() {
        return Stream.concat(rooms.values().stream(), former.values().stream()).toList();
    }

    /** Each processor once, whoever uses it. */
    private Future<Void> openProcessors(TargetRoom room) {
        return each(room.definition().processors(), processor -> {
            String name = processor.name() + "-" + processor.fingerprint();
            if (processors.containsKey(name)) {
                return Future.succeededFuture();
            }
            Room opened = new Room(vertx, "processor-" + name, processor.instances());
            processors.put(name, opened);
            TargetContext context = new SectionContext(vertx, processor.name(), null, opened.workers(), secrets);
            return opened.open(
                    processor.instances(),
                    () -> new ProcessorVerticle(
                            processor.name(),
                            processor.fingerprint(),
                            () -> create(processor.factory(), processor, context)));
        });
    }

    /**
     * The log of a target that this document has not, or has otherwise: what waits in it is delivered as its own
     * definition says.
     */
    private void findFormer() {
        DataDirectory directory = data;
        if (directory == null) {
            return;
        }
        Set<Path> known = rooms.values().stream()
                .map(room -> room.storage().folder().orElseThrow())
                .collect(Collectors.toSet());
        for (Path folder : directory.strangers(known)) {
            String name = String.valueOf(folder.getFileName());
            try {
                if (new IdleOutbox(vertx, folder).isDone()) {
                    directory.removeTarget(folder);
                    continue;
                }
                Definition definition = definitions.apply(directory.definition(folder));
                former.put(name, room(name, definition));
                LOG.info(
                        "OUTBOX-FORMER: {} is of a target that this configuration has not, or has otherwise; what waits"
                                + " in it goes where its own definition says",
                        name);
            } catch (IOException | RuntimeException e) {
                LOG.error(
                        "OUTBOX-ORPHAN: {} is of a target that this configuration has not, and cannot be delivered; it"
                                + " stays where it is: {}",
                        name,
                        e.getMessage());
            }
        }
    }

    /** A former definition that has done its work goes. */
    private void closeDrained() {
        for (Map.Entry<String, TargetRoom> entry : List.copyOf(former.entrySet())) {
            TargetRoom room = entry.getValue();
            room.outbox().isDone().onSuccess(done -> {
                if (done && former.remove(entry.getKey(), room)) {
                    room.close().onComplete(closed -> {
                        LOG.info(
                                "OUTBOX-DRAINED: all of {} is delivered: {}",
                                entry.getKey(),
                                room.ledger().snapshot());
                        room.storage().folder().ifPresent(this::removeTarget);
                    });
                }
            });
        }
    }

    private void removeTarget(Path folder) {
        DataDirectory directory = data;
        if (directory != null) {
            vertx.executeBlocking(() -> {
                        directory.removeTarget(folder);
                        return folder;
                    })
                    .onFailure(e -> LOG.warn("{} is empty and cannot be removed: {}", folder, e.toString()));
        }
    }

    private OutboxVerticle.Storage storage(TargetDefinition target) {
        DataDirectory directory = data;
        if (directory == null) {
            return OutboxVerticle.Storage.inMemory(DataDirectory.newOutboxId(), configuration.hash());
        }
        Path folder = directory.targetFolder(target.name(), target.fingerprint());
        directory.define(folder, target.source());
        long minFree =
                configuration.data().map(Configuration.Data::minFreeBytes).orElse(0L);
        return new OutboxVerticle.Storage(
                directory.outboxId(folder), Optional.of(folder), directory.disks(), minFree, configuration.hash());
    }

    /** What the dispatcher gives messages to, by target name. */
    Map<String, Outbox> doors() {
        Map<String, Outbox> doors = new LinkedHashMap<>();
        rooms.forEach((name, room) -> doors.put(name, door(name, room)));
        return doors;
    }

    private Outbox door(String name, TargetRoom room) {
        List<Outbox> earlier = former.values().stream()
                .filter(other -> other.definition().target().name().equals(name))
                .<Outbox>map(TargetRoom::outbox)
                .toList();
        return new Door(room.outbox(), earlier);
    }

    /** The outbox of a target; or of a former definition, by name and fingerprint. */
    Future<OutboxVerticle> outbox(String target) {
        TargetRoom room = rooms.getOrDefault(target, former.get(target));
        if (room != null) {
            return Future.succeededFuture(room.outbox());
        }
        TreeSet<String> names = new TreeSet<>(rooms.keySet());
        names.addAll(former.keySet());
        return Future.failedFuture(new Operations.RefusedException(
                "there is no target \"" + target + "\"; there is: " + String.join(", ", names)));
    }

    /** Closes everything; what is not safe then was not promised. */
    Future<Void> close() {
        List<Future<Void>> closed = new ArrayList<>();
        all().forEach(room -> closed.add(room.close()));
        processors.values().forEach(room -> closed.add(room.close()));
        return Future.join(closed).mapEmpty();
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Processor create(
            ProcessorFactory<C> factory, ProcessorDefinition processor, TargetContext context) {
        return factory.create((C) processor.config(), context);
    }

    private static <T> Future<Void> each(Iterable<T> items, Function<T, Future<Void>> step) {
        List<Future<Void>> steps = new ArrayList<>();
        items.forEach(item -> steps.add(step.apply(item)));
        return Future.all(steps).mapEmpty();
    }
}
