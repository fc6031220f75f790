package io.plantline.spi;

/**
 * What all factories have in common.
 *
 * @param <C> the configuration it parses its section into
 */
public interface PluginFactory<C> {

    /** The {@code type} (for a format, the {@code format}) that selects it. */
    String type();

    /**
     * JSON Schema of the section's own keys: an object with {@code properties} and, perhaps, {@code required}. It may
     * refer to {@code #/$defs/duration}, {@code size}, {@code credential} and {@code tls}. Keys that all sections of the
     * kind have (such as {@code type}) are added to it.
     */
    String schema();

    /** Turns a section that fits the schema into a record; reports what the schema cannot say to {@code settings}. */
    C configure(Settings settings);
}
