package io.plantline.spi;

import java.util.Optional;

/**
 * What a plug-in remembers of the other side, in a few words. With a data directory it lies beside the messages that wait for the
 * section's present definition, and goes with them; else it lasts as long as the process. All instances of a section share
 * one. Its methods may block, and never fail: a disk that refuses does not keep messages from leaving.
 */
public interface Memory {

    /** What was remembered last under a name, in kebab case. */
    Optional<String> recall(String name);

    /** Replaces what is remembered under a name. */
    void remember(String name, String text);
}
