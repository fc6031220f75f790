package io.plantline.spi;

import io.plantline.model.Credential;
import io.vertx.core.Future;
import java.time.Duration;

/** Reads one credential where it is kept. */
public interface SecretProvider {
    /** The credential as it is now. */
    Future<Credential> read();

    /** How long what was read is taken for the credential of now; after that it is looked at again. */
    default Duration freshFor() {
        return Duration.ofMinutes(5);
    }

    default Future<Void> close() {
        return Future.succeededFuture();
    }
}
