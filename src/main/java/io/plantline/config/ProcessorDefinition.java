package io.plantline.config;

import io.plantline.spi.ProcessorFactory;

/**
 * A processor that targets name.
 *
 * @param config what its factory made of its section
 * @param maxAttempts before a message that fails while others succeed follows {@code onFailure}
 * @param instances processor verticles
 * @param material that it uses
 * @param fingerprint of its section: processors of one name and different sections are two
 */
public record ProcessorDefinition(
        String name,
        ProcessorFactory<?> factory,
        Object config,
        int maxAttempts,
        OnFailure onFailure,
        int instances,
        Material material,
        String fingerprint) {

    /** What becomes of a message that cannot be processed. */
    public enum OnFailure {
        DEAD_LETTER,
        PASS_THROUGH
    }
}
