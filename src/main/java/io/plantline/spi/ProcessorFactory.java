package io.plantline.spi;

import java.util.List;

/**
 * Adds a processor type. Found by {@link java.util.ServiceLoader}.
 *
 * @param <C> the processor's configuration, an immutable record
 */
public interface ProcessorFactory<C> extends PluginFactory<C> {

    /** Makes a processor that is not open yet. */
    Processor create(C config, TargetContext context);

    /** Where the processor connects to, for the rules of {@code security: strict}. */
    default List<Endpoint> endpoints(C config) {
        return List.of();
    }
}
