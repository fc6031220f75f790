package io.plantline.spi;

import io.vertx.core.Vertx;

/**
 * Adds a place that keeps credentials. Found by {@link java.util.ServiceLoader}.
 *
 * @param <C> the configuration of one reference, an immutable record that names no secret
 */
public interface SecretProviderFactory<C> extends PluginFactory<C> {
    SecretProvider create(C config, Vertx vertx);

    /** Whether a credential without a {@code type} is kept here; at most one provider says so. */
    default boolean takesUntyped() {
        return false;
    }
}
