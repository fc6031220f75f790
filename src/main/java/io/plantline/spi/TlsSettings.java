package io.plantline.spi;

import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.TCPSSLOptions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a client secures its connection: TLS 1.2 or newer, and the host name is always verified.
 *
 * @param ca PEM file with the certificates to trust, or null for the platform's
 * @param certificate PEM file with our certificate chain, for mutual TLS
 * @param key PEM file with our private key (PKCS#8)
 */
public record TlsSettings(
        @Nullable String ca,
        @Nullable String certificate,
        @Nullable String key) {

    /** Turns TLS on; the caller's options class says how host names are verified, and must. */
    public void applyTo(TCPSSLOptions options) {
        options.setSsl(true);
        options.setEnabledSecureTransportProtocols(Set.of("TLSv1.2", "TLSv1.3"));
        if (ca != null) {
            options.setTrustOptions(new PemTrustOptions().addCertPath(ca));
        }
        if (certificate != null && key != null) {
            options.setKeyCertOptions(
                    new PemKeyCertOptions().addCertPath(certificate).addKeyPath(key));
        }
    }
}
