package io.plantline.plugin.processor.remote;

import io.plantline.spi.Proxy;
import io.plantline.spi.SecretReference;
import io.plantline.spi.TlsSettings;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * A service that is asked over HTTP.
 *
 * @param uri where to POST
 * @param batchSize messages in a request; 1 posts the payload itself
 * @param openInference speak the Open Inference Protocol v2
 * @param contentType of a payload whose publisher named none
 * @param maxConcurrency requests at once
 * @param maxResponseSize bytes
 * @param proxy empty: what the environment asks for
 */
record RemoteProcessorConfig(
        URI uri,
        String processorId,
        int batchSize,
        boolean openInference,
        String contentType,
        Duration timeout,
        int maxConcurrency,
        int maxResponseSize,
        Optional<SecretReference> credential,
        Optional<TlsSettings> tls,
        Optional<Proxy> proxy) {}
