package io.plantline.config;

import io.plantline.model.Failure;
import io.plantline.spi.TlsSettings;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.TCPSSLOptions;
import io.vertx.core.net.TrustOptions;
import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS between two sides that both show a certificate of an authority that the other trusts. What is shown and trusted can be
 * renewed while sockets are open: connections go on, and the next handshake uses what there is then.
 */
public final class MutualTls {
    private final String ca;
    private final String certificate;
    private final String key;
    private volatile Held held;

    /** What the files held when they were read last. */
    private record Held(X509ExtendedKeyManager shown, X509ExtendedTrustManager trusted) {}

    /**
     * Reads the files.
     *
     * @param ca PEM file with the certificates to trust
     * @param certificate PEM file with our certificate chain
     * @param key PEM file with our private key (PKCS#8, PKCS#1 or SEC 1)
     * @throws io.plantline.model.FailureException OPERATOR, if a file cannot be used, or the key is not the certificate's
     */
    public MutualTls(String ca, String certificate, String key) {
        this.ca = ca;
        this.certificate = certificate;
        this.key = key;
        this.held = read();
    }

    /** The files. */
    public Material material() {
        return new Material(new HashSet<>(List.of(ca, certificate, key)), Set.of());
    }

    /**
     * Uses what is in the files now. Blocks.
     *
     * @throws io.plantline.model.FailureException OPERATOR, if that cannot be used; what was before goes on then
     */
    public void renew() {
        held = read();
    }

    /** Of sockets that are not Vert.x'. */
    public SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {new Shown()}, new TrustManager[] {new Trusted()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Turns TLS on, 1.2 or newer; the caller's options class says whether clients must show a certificate, and must. */
    public void applyTo(TCPSSLOptions options) {
        options.setSsl(true);
        options.setEnabledSecureTransportProtocols(TlsSettings.PROTOCOLS);
        options.setKeyCertOptions(KeyCertOptions.wrap(new Shown()));
        options.setTrustOptions(TrustOptions.wrap(new Trusted()));
    }

    private Held read() {
        X509ExtendedTrustManager trusted = (X509ExtendedTrustManager) TlsSettings.trustManagers(ca)[0];
        try {
            Buffer chain = Buffer.buffer(Files.readAllBytes(Path.of(certificate)));
            // Values, for which it needs no Vert.x: there is none yet when a cluster is joined.
            KeyManagerFactory keys = new PemKeyCertOptions()
                    .addCertValue(chain)
                    .addKeyValue(Buffer.buffer(Files.readAllBytes(Path.of(key))))
                    .getKeyManagerFactory(null);
            X509ExtendedKeyManager shown = (X509ExtendedKeyManager) keys.getKeyManagers()[0];
            requirePair(shown, chain.getBytes());
            return new Held(shown, trusted);
        } catch (Exception e) {
            throw Failure.operator("tls-unusable", certificate + ", " + key + ": " + e.getMessage())
                    .asException();
        }
    }

    /** Files that change one after the other are half of each pair for a moment. */
    private static void requirePair(X509ExtendedKeyManager shown, byte[] chain) throws GeneralSecurityException {
        PublicKey theirs = CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(chain))
                .getPublicKey();
        String alias = shown.chooseServerAlias(theirs.getAlgorithm(), null, null);
        PrivateKey ours = alias == null ? null : shown.getPrivateKey(alias);
        if (ours == null || !isPair(ours, theirs)) {
            throw new CertificateException("the key is not the certificate's");
        }
    }

    private static boolean isPair(PrivateKey ours, PublicKey theirs) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(
                switch (theirs.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> theirs.getAlgorithm();
                });
        byte[] something = theirs.getEncoded();
        signature.initSign(ours);
        signature.update(something);
        byte[] signed = signature.sign();
        signature.initVerify(theirs);
        signature.update(something);
        return signature.verify(signed);
    }

    /** Shows what is held at the moment of a handshake. */
    private final class Shown extends X509ExtendedKeyManager {
        @Override
        public String @Nullable [] getClientAliases(String type, Principal @Nullable [] issuers) {
            return held.shown.getClientAliases(type, issuers);
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return held.shown.chooseClientAlias(types, issuers, socket);
        }

        @Override
        public @Nullable String chooseEngineClientAlias(
                String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return held.shown.chooseEngineClientAlias(types, issuers, engine);
        }

        @Override
        public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
            return held.shown.getServerAliases(type, issuers);
        }

        @Override
        public @Nullable String chooseServerAlias(
                String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return held.shown.chooseServerAlias(type, issuers, socket);
        }

        @Override
        public @Nullable String chooseEngineServerAlias(
                String type, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return held.shown.chooseEngineServerAlias(type, issuers, engine);
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            return held.shown.getCertificateChain(alias);
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            return held.shown.getPrivateKey(alias);
        }
    }

    /** Trusts what is held at the moment of a handshake. */
    private final class Trusted extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            held.trusted.checkClientTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            held.trusted.checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            held.trusted.checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            held.trusted.checkServerTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            held.trusted.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            held.trusted.checkServerTrusted(chain, type, engine);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return held.trusted.getAcceptedIssuers();
        }
    }
}
