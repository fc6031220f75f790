package io.plantline.runtime;

import io.plantline.model.Credential;
import io.plantline.spi.Memory;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a plug-in gets from the house.
 *
 * @param memory of one definition of the section, whichever of its instances asks
 * @param warnings how many there were; a processor has no metric of them
 */
record SectionContext(
        Vertx vertx,
        String name,
        @Nullable PayloadFormat format,
        WorkerExecutor workers,
        Secrets secrets,
        Memory memory,
        AtomicLong warnings)
        implements TargetContext {
    private static final Logger LOG = LoggerFactory.getLogger(SectionContext.class);
    /** The heap is the process's, whoever in it writes. */
    private static final PublishingHeap HEAP =
            new PublishingHeap(Runtime.getRuntime().maxMemory() / 4, Duration.ofSeconds(30));

    @Override
    public <T> Future<T> blocking(Callable<T> work) {
        return workers.executeBlocking(work, false);
    }

    @Override
    public <T> Future<T> withHeap(long bytes, Supplier<Future<T>> work) {
        return HEAP.with(vertx.getOrCreateContext(), memory, name, bytes, work);
    }

    @Override
    public Future<Credential> credential(SecretReference reference, boolean refresh) {
        return secrets.read(reference, refresh);
    }

    @Override
    public void warn(String code, String text) {
        warnings.incrementAndGet();
        LOG.warn("{}: {}: {}", code, name, text);
    }
}
