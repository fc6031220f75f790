package io.plantline.spi;

import io.plantline.model.Failure;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.TCPSSLOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Set;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * How a client secures its connection: TLS 1.2 or newer, and the host name is always verified.
 *
 * @param ca PEM file with the certificates to trust, or null for the platform's
 * @param certificate PEM file with our certificate chain, for mutual TLS
 * @param key PEM file with our private key (PKCS#8, PKCS#1 or SEC 1)
 */
public record TlsSettings(
        @Nullable String ca,
        @Nullable String certificate,
        @Nullable String key) {
    /** What is spoken. */
    public static final Set<String> PROTOCOLS = Set.of("TLSv1.2", "TLSv1.3");

    /**
     * For clients that are not Vert.x': who trusts the authorities in a PEM file, and nobody else.
     *
     * @throws io.plantline.model.FailureException OPERATOR, if the file cannot be used
     */
    public static TrustManager[] trustManagers(String file) {
        try (InputStream pem = Files.newInputStream(Path.of(file))) {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            int number = 0;
            for (Certificate authority : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                authorities.setCertificateEntry("ca-" + number++, authority);
            }
            if (number == 0) {
                throw new CertificateException("there is no certificate");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            return trust.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
            throw Failure.operator("ca-unreadable", file + ": " + e.getMessage())
                    .asException();
        }
    }

    /** Turns TLS on; the caller's options class says how host names are verified, and must. */
    public void applyTo(TCPSSLOptions options) {
        options.setSsl(true);
        options.setEnabledSecureTransportProtocols(PROTOCOLS);
        if (ca != null) {
            options.setTrustOptions(new PemTrustOptions().addCertPath(ca));
        }
        if (certificate != null && key != null) {
            options.setKeyCertOptions(
                    new PemKeyCertOptions().addCertPath(certificate).addKeyPath(key));
        }
    }
}
