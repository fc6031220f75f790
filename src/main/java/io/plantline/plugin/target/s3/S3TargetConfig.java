package io.plantline.plugin.target.s3;

import io.plantline.spi.Proxy;
import io.plantline.spi.object.ObjectLayout;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * A bucket, how to reach it, and what its objects are called.
 *
 * @param endpoint of a store that is not AWS
 * @param pathStyle bucket in the path, as most stores that are not AWS want it
 * @param checksumsAlways false: only where the protocol asks for them, as older stores need it
 * @param conditionalWrites refuse to overwrite (If-None-Match), which makes a retry harmless
 * @param ca PEM file with the authorities to trust, for a store in the plant
 * @param proxy empty: what the environment asks for
 * @param multipartFrom bytes from which on an object is sent in parts of this size
 * @param timeout of one request with all its bytes
 */
record S3TargetConfig(
        String bucket,
        Optional<String> region,
        Optional<URI> endpoint,
        boolean pathStyle,
        boolean checksumsAlways,
        boolean conditionalWrites,
        Optional<String> ca,
        Optional<Proxy> proxy,
        int multipartFrom,
        Duration timeout,
        int maxConcurrency,
        ObjectLayout layout) {}
