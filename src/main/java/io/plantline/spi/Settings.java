package io.plantline.spi;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One section of the configuration, already checked against its schema. Read once, when the document is parsed; the
 * records made from it never see JSON.
 */
public interface Settings {

    boolean has(String key);

    /** A value that the schema requires. */
    String string(String key);

    Optional<String> optionalString(String key);

    default String string(String key, String otherwise) {
        return optionalString(key).orElse(otherwise);
    }

    int integer(String key, int otherwise);

    double number(String key, double otherwise);

    boolean flag(String key, boolean otherwise);

    /** Such as {@code 250ms}, {@code 30s}, {@code 5m}, {@code 1h}, {@code 7d}. */
    Duration duration(String key, Duration otherwise);

    /** Bytes: {@code 512KiB}, {@code 16MiB}, {@code 1GB}, or a plain number. */
    long size(String key, long otherwise);

    /** An absolute URI that the schema requires; a problem is reported if it is none. */
    URI uri(String key);

    Optional<URI> optionalUri(String key);

    List<String> strings(String key);

    Optional<Settings> section(String key);

    /** Where a credential is kept. */
    Optional<SecretReference> credential(String key);

    /** Name of a file that must be readable. */
    Optional<String> file(String key);

    /** Present and not disabled. */
    Optional<TlsSettings> tls(String key);

    /** The proxy that the document asks for. */
    Optional<Proxy> proxy(String key);

    /** Reports something that the schema cannot express; the document is refused. */
    void error(String key, String message, String hint);

    /** Reports something that works but that the user may not want. */
    void warn(String key, String message, String hint);
}
