package io.plantline.runtime;

import io.plantline.config.ClusterConfig.Role;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.Material;
import io.plantline.config.ProcessorDefinition;
import io.plantline.config.TargetDefinition;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.IdleOutbox;
import io.plantline.pipeline.outbox.OutboxVerticle;
import io.plantline.pipeline.outbox.Storage;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The targets of a configuration, their processors, and what is left of targets that earlier configurations had. Used on
 * the context of the house; what is there may be looked at from anywhere.
 */
final class Rooms {
    private static final Logger LOG = LoggerFactory.getLogger(Rooms.class);
    private static final long LOOK_MILLIS = 5_000;

    private final Vertx vertx;
    private final @Nullable DataDirectory data;
    private final Secrets secrets;
    private final Rotation rotation;
    private final Function<String, Definition> definitions;
    private final Supplier<String> hash;
    private final Processors processors;
    private final Set<Role> roles;

    /** By target name. */
    private volatile Map<String, TargetRoom> present = Map.of();

    private final FormerRooms former;
    private boolean changing;

    /**
     * No rooms yet.
     *
     * @param definitions reads the definition of a log whose target the configuration has not
     * @param hash of the configuration that runs
     * @param roles of this node
     */
    Rooms(
            Vertx vertx,
            Secrets secrets,
            Rotation rotation,
            Function<String, Definition> definitions,
            Supplier<String> hash,
            @Nullable DataDirectory data,
            Set<Role> roles) {
        this.roles = roles;
        this.vertx = vertx;
        this.secrets = secrets;
        this.rotation = rotation;
        this.definitions = definitions;
        this.hash = hash;
        this.data = data;
        this.processors = new Processors(vertx, secrets, roles.contains(Role.PROCESSOR));
        this.former = new FormerRooms(vertx, data, processors, hasOutboxes());
    }

    /** The first configuration, and what is left of others. A target that is down does not keep its room from opening. */
    Future<Void> open(Configuration configuration) {
        return arrange(configuration, true)
                .compose(arrangement -> Change.applyAll(arrangement.changes(false)))
                .onSuccess(v -> vertx.setPeriodic(LOOK_MILLIS, id -> lookAtFormer()));
    }

    /** The steps from what is there to a configuration; nothing else may change until they are applied or undone. */
    Future<List<Change>> changesTo(Configuration configuration) {
        changing = true;
        return former.closed()
                .transform(v -> arrange(configuration, false))
                .map(arrangement -> arrangement.changes(true));
    }

    /** The steps that {@link #changesTo} told are done with. */
    void changed() {
        changing = false;
    }

    private Future<Arrangement> arrange(Configuration configuration, boolean starting) {
        return vertx.executeBlocking(() -> {
                    Arrangement arrangement = new Arrangement(configuration);
                    if (starting) {
                        findFormer(arrangement, configuration);
                    }
                    return arrangement;
                })
                .compose(arrangement -> rotation.know(arrangement.materials()).map(arrangement));
    }

    /** What becomes of every room. */
    private final class Arrangement {
        private final Map<String, TargetRoom> before = present;
        private final Map<String, TargetRoom> after = new LinkedHashMap<>();
        private final Map<TargetRoom, Definition> adjusted = new LinkedHashMap<>();
        private final Map<String, TargetRoom> reclaimed = new HashMap<>();
        private final List<TargetRoom> opened = new ArrayList<>();

        Arrangement(Configuration configuration) {
            for (TargetDefinition target : configuration.targets().values()) {
                List<ProcessorDefinition> steps = target.processors().stream()
                        .map(name -> Optional.ofNullable(
                                        configuration.processors().get(name))
                                .orElseThrow())
                        .toList();
                Definition definition = new Definition(target, steps);
                TargetRoom room = find(target);
                if (room == null) {
                    room = room(target.name(), definition, configuration);
                    opened.add(room);
                } else if (!room.definition().target().source().equals(target.source())) {
                    adjusted.put(room, definition);
                }
                after.put(target.name(), room);
            }
        }

        /** Of who is opened or opens anew. */
        List<Material> materials() {
            return Stream.concat(opened.stream().map(TargetRoom::definition), adjusted.values().stream())
                    .flatMap(definition -> Stream.concat(
                            Stream.of(definition.target().material()),
                            definition.processors().stream().map(ProcessorDefinition::material)))
                    .toList();
        }

        private @Nullable TargetRoom find(TargetDefinition target) {
            TargetRoom room = before.get(target.name());
            if (room != null && room.definition().target().fingerprint().equals(target.fingerprint())) {
                return room;
            }
            String key = FormerRooms.key(target);
            TargetRoom earlier = former.get(key);
            if (earlier != null) {
                reclaimed.put(key, earlier);
            }
            return earlier;
        }

        List<Change> changes(boolean probe) {
            List<Change> changes = new ArrayList<>();
            changes.add(new Change(() -> openAll(probe), this::leaveAll, Rooms.this::tidyUp));
            adjusted.forEach((room, definition) -> {
                changes.add(new Change(
                        () -> processors.open(definition.processors(), probe),
                        Future::succeededFuture,
                        () -> define(room, definition)));
                changes.add(room.adjust(definition));
            });
            changes.add(new Change(this::enter, this::leave, Future::succeededFuture));
            return changes;
        }

        private Future<Void> openAll(boolean probe) {
            return each(opened, room -> room.openPublishers(probe))
                    .compose(v -> each(
                            opened, room -> processors.open(room.definition().processors(), probe)))
                    .compose(v -> each(opened, TargetRoom::openOutbox))
                    .recover(e -> each(opened, TargetRoom::close)
                            .eventually(Rooms.this::tidyUp)
                            .transform(v -> Future.failedFuture(e)));
        }

        /** Rooms that were open for a moment: if messages came they are delivered, and then the room closes. */
        private Future<Void> leaveAll() {
            opened.forEach(former::retire);
            return tidyUp();
        }

        private Future<Void> enter() {
            reclaimed.forEach(former::remove);
            before.values().stream().filter(room -> !after.containsValue(room)).forEach(former::retire);
            present = Collections.unmodifiableMap(after);
            after.forEach((name, room) -> room.ledger().rename(name));
            if (hasOutboxes()) {
                opened.forEach(room -> room.outbox().resume());
            }
            return Future.succeededFuture();
        }

        private Future<Void> leave() {
            present = before;
            before.forEach((name, room) -> {
                former.remove(FormerRooms.key(room.definition().target()), room);
                room.ledger().rename(name);
            });
            reclaimed.values().forEach(former::retire);
            return Future.succeededFuture();
        }
    }

    /** Processors that nobody uses any more go. */
    private Future<Void> tidyUp() {
        processors.retain(all().stream()
                .flatMap(room -> room.definition().processors().stream())
                .toList());
        return Future.succeededFuture();
    }

    private Future<Void> define(TargetRoom room, Definition definition) {
        DataDirectory directory = data;
        Optional<Path> folder = room.storage().folder();
        if (directory == null || folder.isEmpty()) {
            return Future.succeededFuture();
        }
        return vertx.executeBlocking(() -> {
            directory.define(folder.get(), definition.target().source());
            return null;
        });
    }

    private void lookAtFormer() {
        if (!changing) {
            former.moveHeld(present);
            former.closeDone(() -> changing, this::tidyUp);
        }
    }

    private TargetRoom room(String name, Definition definition, Configuration configuration) {
        return new TargetRoom(
                vertx,
                name,
                definition,
                storage(
                        definition.target(),
                        configuration
                                .data()
                                .map(Configuration.Data::minFreeBytes)
                                .orElse(0L)),
                secrets,
                this::present,
                roles);
    }

    private @Nullable Outbox present(String target) {
        TargetRoom room = present.get(target);
        return room == null ? null : room.outbox();
    }

    /** Who uses certificates and credentials. */
    List<Rotation.User> users() {
        return Stream.concat(
                        roles.contains(Role.PUBLISHER) ? all().stream().map(TargetRoom::user) : Stream.empty(),
                        processors.users().stream())
                .toList();
    }

    private boolean hasOutboxes() {
        return roles.contains(Role.DISPATCHER);
    }

    /** Those that messages wait in: none, if another node has them. */
    List<TargetRoom> withOutbox() {
        return hasOutboxes() ? all() : List.of();
    }

    /** Present and former definitions. */
    List<TargetRoom> all() {
        return Stream.concat(present.values().stream(), former.all().stream())
                .distinct()
                .toList();
    }

    /**
     * The log of a target that this document has not, or has otherwise: what waits in it is delivered as its own
     * definition says.
     */
    private void findFormer(Arrangement arrangement, Configuration configuration) {
        DataDirectory directory = data;
        if (directory == null) {
            return;
        }
        Set<Path> known = arrangement.after.values().stream()
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
                TargetRoom room = room(name, definition, configuration);
                former.add(name, room);
                arrangement.opened.add(room);
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

    private Storage storage(TargetDefinition target, long minFree) {
        DataDirectory directory = data;
        if (directory == null) {
            return Storage.inMemory(DataDirectory.newOutboxId(), hash);
        }
        Path folder = directory.targetFolder(target.name(), target.fingerprint());
        directory.define(folder, target.source());
        return new Storage(directory.outboxId(folder), Optional.of(folder), directory.disks(), minFree, hash);
    }

    /** What the dispatcher gives messages to, by target name. */
    Map<String, Outbox> doors() {
        Map<String, Outbox> doors = new LinkedHashMap<>();
        present.forEach((name, room) -> doors.put(name, door(name, room)));
        return doors;
    }

    private Outbox door(String name, TargetRoom room) {
        List<Outbox> earlier = former.all().stream()
                .filter(other -> other.definition().target().name().equals(name))
                .<Outbox>map(TargetRoom::outbox)
                .toList();
        return new Door(room.outbox(), earlier);
    }

    /** The outbox of a target; or of a former definition, by name and fingerprint. */
    Future<OutboxVerticle> outbox(String target) {
        TargetRoom room = present.containsKey(target) ? present.get(target) : former.get(target);
        if (!hasOutboxes()) {
            return Future.failedFuture(
                    new Operations.RefusedException("this node has no outboxes; ask one that is a dispatcher"));
        }
        if (room != null) {
            return Future.succeededFuture(room.outbox());
        }
        TreeSet<String> names = new TreeSet<>(present.keySet());
        names.addAll(former.names());
        return Future.failedFuture(new Operations.RefusedException(
                "there is no target \"" + target + "\"; there is: " + String.join(", ", names)));
    }

    /** Closes everything; what is not safe then was not promised. */
    Future<Void> close() {
        return each(all(), TargetRoom::close).eventually(processors::close);
    }

    /** Completes when all have, and fails if one has failed. */
    private static <T> Future<Void> each(Iterable<T> items, Function<T, Future<Void>> step) {
        List<Future<Void>> steps = new ArrayList<>();
        items.forEach(item -> steps.add(step.apply(item)));
        return Future.join(steps).mapEmpty();
    }
}
