package io.plantline.runtime;

import io.plantline.config.ClusterConfig.Role;
import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.TargetDefinition;
import io.plantline.observe.TargetLedger;
import io.plantline.observe.Vitals;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.OutboxVerticle;
import io.plantline.pipeline.outbox.Reach;
import io.plantline.pipeline.outbox.Storage;
import io.plantline.pipeline.publish.PublisherVerticle;
import io.plantline.spi.Memory;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One definition of a target: its outbox, its books, and its publishers. */
final class TargetRoom {
    private final Vertx vertx;
    private Definition definition;
    private final Storage storage;
    private final TargetLedger ledger;
    private final OutboxVerticle outbox;
    private final Room<PublisherVerticle> publishers;
    private final Secrets secrets;
    private final Set<Role> roles;
    private final Memory memory;
    private final AtomicLong warnings = new AtomicLong();
    private final long openedNanos = System.nanoTime();
    private @Nullable String deployment;

    /**
     * A room that is not open yet.
     *
     * @param name in the books
     * @param others outboxes by target name, for dead letters
     * @param roles of this node: what it does not do is not opened
     */
    TargetRoom(
            Vertx vertx,
            String name,
            Definition definition,
            Storage storage,
            Secrets secrets,
            Function<String, @Nullable Outbox> others,
            Set<Role> roles) {
        this.roles = roles;
        this.vertx = vertx;
        this.definition = definition;
        this.storage = storage;
        this.secrets = secrets;
        this.memory = storage.folder()
                .map(folder -> new SectionMemory(folder, storage.disks()))
                .orElseGet(SectionMemory::new);
        this.ledger = new TargetLedger(name);
        TargetDefinition target = definition.target();
        this.outbox = new OutboxVerticle(
                target,
                definition.processors(),
                storage,
                ledger,
                others,
                new Reach(roles.contains(Role.PUBLISHER), roles.contains(Role.PROCESSOR)));
        this.publishers = new Room<>(
                vertx, "target-" + target.name() + "-" + target.fingerprint(), Math.max(1, target.instances()));
    }

    Definition definition() {
        return definition;
    }

    Storage storage() {
        return storage;
    }

    TargetLedger ledger() {
        return ledger;
    }

    Future<Vitals.Target> vitals() {
        return outbox.report()
                .map(report -> new Vitals.Target(
                        report,
                        definition.target().limits().maxBytes(),
                        ledger.snapshot().retries(),
                        warnings.get(),
                        ledger.publishing().snapshot()));
    }

    OutboxVerticle outbox() {
        return outbox;
    }

    /**
     * Opens its publishers.
     *
     * @param probe whether to fail if they have to wait for somebody to act
     */
    Future<Void> openPublishers(boolean probe) {
        TargetDefinition target = definition.target();
        return !roles.contains(Role.PUBLISHER)
                ? Future.succeededFuture()
                : publishers.open(
                        target.instances(),
                        () -> new PublisherVerticle(target.name(), target.fingerprint(), () -> create(target), probe));
    }

    private Target create(TargetDefinition target) {
        TargetContext context = new SectionContext(
                vertx, target.name(), format(target), publishers.workers(), secrets, memory, warnings);
        return create(target.factory(), target, context);
    }

    /** The same target, treated otherwise. How many publishers and lanes it has changes with a start. */
    Change adjust(Definition next) {
        Definition before = definition;
        return new Change(
                () -> become(next).recover(e -> become(before).transform(v -> Future.failedFuture(e))),
                () -> become(before),
                Future::succeededFuture);
    }

    private Future<Void> become(Definition next) {
        return publishers
                .each(publisher -> publisher.replace(() -> create(next.target()), true))
                .compose(v -> {
                    definition = next;
                    return deployment == null
                            ? Future.succeededFuture()
                            : outbox.redefine(next.target(), next.processors());
                });
    }

    /** Its publishers, with the certificates and credentials of now. */
    Rotation.User user() {
        TargetDefinition target = definition.target();
        return new Rotation.User(
                "target " + target.name(),
                target.material(),
                () -> publishers.each(publisher -> publisher.replace(() -> create(target), false)));
    }

    Future<Void> openOutbox() {
        return !roles.contains(Role.DISPATCHER)
                ? Future.succeededFuture()
                : vertx.deployVerticle(outbox).map(id -> {
                    deployment = id;
                    return null;
                });
    }

    /** When a publisher of it had something to do last, as of {@link System#nanoTime}. */
    long usedNanos() {
        return publishers.verticles().stream()
                .mapToLong(PublisherVerticle::usedNanos)
                .max()
                .orElse(openedNanos);
    }

    /** Closes what is open of it, the outbox first. */
    Future<Void> close() {
        String open = deployment;
        deployment = null;
        return (open == null ? Future.<Void>succeededFuture() : vertx.undeploy(open)).eventually(publishers::close);
    }

    private static @Nullable PayloadFormat format(TargetDefinition target) {
        return target.format()
                .map(format -> create(format.factory(), format.config()))
                .orElse(null);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> PayloadFormat create(PayloadFormatFactory<C> factory, Object config) {
        return factory.create((C) config);
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private static <C> Target create(TargetFactory<C> factory, TargetDefinition target, TargetContext context) {
        return factory.create((C) target.config(), context);
    }
}
