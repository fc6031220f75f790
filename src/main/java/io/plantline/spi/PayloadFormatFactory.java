package io.plantline.spi;

/**
 * Adds a payload format. Found by {@link java.util.ServiceLoader}. Its keys stand in the target's {@code
 * format-options}.
 *
 * @param <C> the format's configuration, an immutable record
 */
public interface PayloadFormatFactory<C> extends PluginFactory<C> {
    PayloadFormat create(C config);
}
