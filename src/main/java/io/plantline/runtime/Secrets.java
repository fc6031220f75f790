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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads credentials through their providers, keeps each for a few minutes, and the last good one when its provider
 * fails. Runs on a context of its own, so that many askers make one request.
 */
final class Secrets {
    private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);
    private static final Duration FRESH = Duration.ofMinutes(5);

    private final Vertx vertx;
    private final Plugins plugins;
    private final ContextInternal context;
    private final Map<SecretReference, Kept> kept = new HashMap<>();

    Secrets(Vertx vertx, Plugins plugins) {
        this.vertx = vertx;
        this.plugins = plugins;
        this.context = (ContextInternal) vertx.getOrCreateContext();
    }

    private static final class Kept {
        private final SecretProvider provider;
        private @Nullable Credential last;
        private long readAtNanos;
        private @Nullable Future<Credential> reading;

        Kept(SecretProvider provider) {
            this.provider = provider;
        }
    }

    /** The credential; with {@code refresh} not from the cache. Completes on the caller's context. */
    Future<Credential> read(SecretReference reference, boolean refresh) {
        return OnContext.call(context, () -> readHere(reference, refresh));
    }

    private Future<Credential> readHere(SecretReference reference, boolean refresh) {
        Kept entry = kept.computeIfAbsent(reference, r -> new Kept(provider(r)));
        Credential last = entry.last;
        boolean fresh = System.nanoTime() - entry.readAtNanos < FRESH.toNanos();
        if (last != null && fresh && !refresh) {
            return Future.succeededFuture(last);
        }
        Future<Credential> reading = entry.reading;
        if (reading == null) {
            reading = entry.provider.read();
            entry.reading = reading;
            reading.onComplete(done -> {
                entry.reading = null;
                if (done.succeeded()) {
                    entry.last = done.result();
                    entry.readAtNanos = System.nanoTime();
                }
            });
        }
        return reading.recover(e -> {
            if (last == null) {
                return Future.failedFuture(e);
            }
            LOG.warn("SECRET-STALE: going on with the last known credential: {}", e.getMessage());
            return Future.succeededFuture(last);
        });
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
            List<Future<Void>> closed = new ArrayList<>();
            kept.values().forEach(entry -> closed.add(entry.provider.close()));
            return Future.join(closed).mapEmpty();
        });
    }
}
