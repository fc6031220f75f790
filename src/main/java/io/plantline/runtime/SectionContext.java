package io.plantline.runtime;

import io.plantline.model.Credential;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TargetContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** What a plug-in gets from the house. */
record SectionContext(Vertx vertx, String name, @Nullable PayloadFormat format, WorkerExecutor workers, Secrets secrets)
        implements TargetContext {

    @Override
    public <T> Future<T> blocking(Callable<T> work) {
        return workers.executeBlocking(work, false);
    }

    @Override
    public Future<Credential> credential(SecretReference reference, boolean refresh) {
        return secrets.read(reference, refresh);
    }
}
