package io.plantline.runtime;

import io.plantline.config.ConfigurationParser.Definition;
import io.plantline.config.TargetDefinition;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.outbox.OutboxVerticle;
import io.plantline.pipeline.publish.PublisherVerticle;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One definition of a target: its outbox, its books, and its publishers. */
final class TargetRoom {
    private final Vertx vertx;
    private Definition definition;
    private final OutboxVerticle.Storage storage;
    private final TargetLedger ledger;
    private final OutboxVerticle outbox;
    private Room publishers;
    private final Secrets secrets;

    /**
     * A room that is not open yet.
     *
     * @param name in the books
     * @param others outboxes by target name, for dead letters
     */
    TargetRoom(
            Vertx vertx,
            String name,
            Definition definition,
            OutboxVerticle.Storage storage,
            Secrets secrets,
            Function<String, @Nullable Outbox> others) {
        this.vertx = vertx;
        this.definition = definition;
        this.storage = storage;
        this.secrets = secrets;
        this.ledger = new TargetLedger(name);
        TargetDefinition target = definition.target();
        this.outbox = new OutboxVerticle(target, definition.processors(), storage, ledger, others);
        this.publishers = emptyRoom(target);
    }

    private Room emptyRoom(TargetDefinition target) {
        return new Room(vertx, "target-" + target.name() + "-" + target.fingerprint(), Math.max(1, target.instances()));
    }

    Definition definition() {
        return definition;
    }

    OutboxVerticle.Storage storage() {
        return storage;
    }

    TargetLedger ledger() {
        return ledger;
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
        return open(publishers, definition.target(), probe);
    }

    private Future<Void> open(Room room, TargetDefinition target, boolean probe) {
        TargetContext context = new SectionContext(vertx, target.name(), format(target), room.workers(), secrets);
        return room.open(
                target.instances(),
                () -> new PublisherVerticle(
                        target.name(), target.fingerprint(), () -> create(target.factory(), target, context), probe));
    }

    /** The same target, treated otherwise: other publishers take the place of those that are there. */
    Change adjust(Definition next) {
        Definition before = definition;
        Room left = publishers;
        Room taken = emptyRoom(next.target());
        return new Change(
                () -> open(taken, next.target(), true)
                        .onFailure(e -> taken.close())
                        .compose(v -> become(next, taken)),
                () -> become(before, left).eventually(taken::close),
                left::close);
    }

    private Future<Void> become(Definition next, Room room) {
        definition = next;
        publishers = room;
        return outbox.redefine(next.target(), next.processors());
    }

    Future<Void> openOutbox() {
        return vertx.deployVerticle(outbox).mapEmpty();
    }

    /** Closes what is open of it, the outbox first. */
    Future<Void> close() {
        return (outbox.deploymentID() == null ? Future.<Void>succeededFuture() : vertx.undeploy(outbox.deploymentID()))
                .eventually(publishers::close);
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
