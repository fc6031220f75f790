package io.plantline.mqtt;

import io.plantline.model.Credential;
import io.vertx.core.Future;
import java.util.Optional;

/** Where a session asks for its user name and password, before each connection attempt. */
@FunctionalInterface
public interface CredentialSource {
    /**
     * The credential, if the broker wants one.
     *
     * @param refresh the last one was refused: do not answer from a cache
     */
    Future<Optional<Credential>> credential(boolean refresh);
}
