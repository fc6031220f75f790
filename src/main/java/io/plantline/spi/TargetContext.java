package io.plantline.spi;

import io.plantline.model.Credential;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a plug-in gets from the house. */
public interface TargetContext {

    Vertx vertx();

    /** Name of the section in the configuration. */
    String name();

    /** The payload format, if the target's type takes one. */
    @Nullable
    PayloadFormat format();

    /** Runs {@code work} on a worker thread of the section's own pool; the future completes on the caller's context. */
    <T> Future<T> blocking(Callable<T> work);

    /**
     * Runs work that takes much of the heap when there is room for it: all targets of the process share a part of the heap, first
     * come, first served. What it has for more than half a minute while others wait does not keep them any longer.
     *
     * @param bytes it takes at most, about
     * @param work called on the caller's context; the room is given back when its future is complete
     */
    <T> Future<T> withHeap(long bytes, Supplier<Future<T>> work);

    /** The current value of a credential; a failed authentication asks again with {@code refresh}. */
    Future<Credential> credential(SecretReference reference, boolean refresh);

    /** Outlives the plug-in. */
    Memory memory();

    /**
     * Tells the operator of what keeps nothing from going on, and is not as it should be: a log line, and for a target one
     * more in {@code plantline_target_warnings_total}. From any thread.
     *
     * @param code stable, in capitals ({@code KAFKA-OFFSETS})
     * @param text for a person; never a payload, never a secret
     */
    void warn(String code, String text);
}
