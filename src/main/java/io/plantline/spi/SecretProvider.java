package io.plantline.spi;

import io.plantline.model.Credential;
import io.vertx.core.Future;

/** Reads one credential where it is kept. */
public interface SecretProvider {
    /** The credential as it is now. */
    Future<Credential> read();

    default Future<Void> close() {
        return Future.succeededFuture();
    }
}
