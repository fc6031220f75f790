package io.plantline.runtime;

import io.plantline.config.Plugins;
import io.plantline.model.Credential;
import io.plantline.pipeline.OnContext;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.SecretReference;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads credentials through their providers, keeps each while it is fresh, and the last good one when its provider fails;
 * looks again at those that are in use, and says which have changed. Runs on a context of its own, so that many askers make
 * one request.
 */
final class Secrets {
    private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);
    private static final long LOOK_MILLIS = 2_500;
    private static final Duration AGAIN = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final Plugins plugins;
    private final ContextInternal context;
    private final Consumer<SecretReference> changed;
    private final Map<SecretReference, Kept> kept = new HashMap<>();
    private final long timer;

    /**
     * Nothing is read yet.
     *
     * @param changed is told of a credential that is not the one that was read before
     */
    Secrets(Vertx vertx, Plugins plugins, Consumer<SecretReference> changed) {
        this.vertx = vertx;
        this.plugins = plugins;
        this.changed = changed;
        this.context = (ContextInternal) vertx.getOrCreateContext();
        this.timer = context.setPeriodic(LOOK_MILLIS, id -> lookAgain());
    }

    private static final class Kept {
        private SecretProvider provider;
        private @Nullable Credential last;
        private long freshUntilNanos;
        private @Nullable Future<Credential> reading;
        private boolean stale;

        Kept(SecretProvider provider) {
            this.provider = provider;
        }

        boolean isFresh() {
            return last != null && System.nanoTime() - freshUntilNanos < 0;
        }
    }

    /** The credential; with {@code refresh} not from the cache. Completes on the caller's context. */
    Future<Credential> read(SecretReference reference, boolean refresh) {
        return OnContext.call(context, () -> readHere(reference, refresh));
    }

    private Future<Credential> readHere(SecretReference reference, boolean refresh) {
        Kept entry = kept.computeIfAbsent(reference, r -> new Kept(provider(r)));
        Credential last = entry.last;
        if (last != null && entry.isFresh() && !refresh) {
            return Future.succeededFuture(last);
        }
        return ask(reference, entry).recover(e -> last == null ? Future.failedFuture(e) : Future.succeededFuture(last));
    }

    private Future<Credential> ask(SecretReference reference, Kept entry) {
        Future<Credential> already = entry.reading;
        if (already != null) {
            return already;
        }
        SecretProvider provider = entry.provider;
        Future<Credential> reading = provider.read().andThen(done -> {
            entry.reading = null;
            Duration fresh = done.succeeded() ? provider.freshFor() : AGAIN;
            entry.freshUntilNanos = System.nanoTime() + fresh.toNanos();
            Credential before = entry.last;
            if (done.succeeded()) {
                entry.last = done.result();
                entry.stale = false;
                if (before != null && !before.equals(done.result())) {
                    LOG.info("SECRET-CHANGED: a credential from {} is another one now", reference.provider());
                    changed.accept(reference);
                }
            } else if (before != null && !entry.stale) {
                entry.stale = true;
                LOG.warn(
                        "SECRET-STALE: going on with the last known credential: {}",
                        done.cause().getMessage());
            }
        });
        entry.reading = reading.isComplete() ? null : reading;
        return reading;
    }

    private void lookAgain() {
        kept.forEach((reference, entry) -> {
            if (entry.last != null && !entry.isFresh()) {
                ask(reference, entry);
            }
        });
    }

    /** Reads {@code some} through new providers from now on: what those before were made with is another one. */
    void reopen(Set<SecretReference> some) {
        context.runOnContext(v -> some.forEach(reference -> {
            Kept entry = kept.get(reference);
            if (entry != null) {
                SecretProvider former = entry.provider;
                entry.provider = provider(reference);
                Future<Credential> reading = entry.reading;
                (reading == null ? Future.succeededFuture() : reading).eventually(former::close);
            }
        }));
    }

    /** Those that nobody uses any more are not looked at any more. */
    void retain(Set<SecretReference> used) {
        context.runOnContext(v -> kept.entrySet().removeIf(entry -> {
            boolean gone = !used.contains(entry.getKey());
            if (gone) {
                entry.getValue().provider.close();
            }
            return gone;
        }));
    }

    private SecretProvider provider(SecretReference reference) {
        SecretProviderFactory<?> factory = plugins.secrets().get(reference.provider());
        if (factory == null) {
            throw new IllegalStateException("no secret provider " + reference.provider());
        }
        return create(factory, reference.config());
    }

    @SuppressWarnings("unchecked") // A factory gets back what its own configure() made.
    private <C> SecretProvider create(SecretProviderFactory<C> factory, Object config) {
        return factory.create((C) config, vertx);
    }

    Future<Void> close() {
        return OnContext.call(context, () -> {
            vertx.cancelTimer(timer);
            List<Future<Void>> closed = new ArrayList<>();
            kept.values().forEach(entry -> closed.add(entry.provider.close()));
            return Future.join(closed).mapEmpty();
        });
    }
}
