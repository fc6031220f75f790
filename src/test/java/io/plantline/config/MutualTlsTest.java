package io.plantline.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.FailureException;
import io.plantline.testkit.Certificates;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyFactory;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MutualTlsTest {
    @TempDir
    private Path directory;

    private final Vertx vertx = Vertx.vertx();
    private Certificates before;
    private Certificates after;
    private MutualTls tls;
    private int port;

    @BeforeEach
    void listen() throws Exception {
        before = Certificates.make(directory, "before", "dns:localhost");
        after = Certificates.make(directory, "after", "dns:localhost");
        put(before.certificate(), "tls.crt");
        put(before.key(), "tls.key");
        put(before.certificate(), "ca.crt");
        tls = new MutualTls(file("ca.crt"), file("tls.crt"), file("tls.key"));
        NetServerOptions options = new NetServerOptions().setHost("127.0.0.1").setClientAuth(ClientAuth.REQUIRED);
        tls.applyTo(options);
        NetServer server = vertx.createNetServer(options).connectHandler(socket -> socket.handler(socket::write));
        port = wait(server.listen()).actualPort();
    }

    @AfterEach
    void close() {
        wait(vertx.close());
    }

    private static <T> T wait(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private void put(Path from, String name) throws IOException {
        Files.copy(from, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private SSLSocket connect(Certificates shown, Certificates trusted) throws Exception {
        SSLContext context = shown.server(trusted);
        return (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
    }

    private static int echo(SSLSocket socket) throws IOException {
        socket.getOutputStream().write(42);
        return socket.getInputStream().read();
    }

    @Test
    void theNextHandshakeUsesWhatIsRenewedAndConnectionsGoOn() throws Exception {
        try (SSLSocket open = connect(before, before)) {
            assertThat(echo(open)).isEqualTo(42);
            put(after.certificate(), "tls.crt");
            put(after.key(), "tls.key");
            put(after.certificate(), "ca.crt");
            try (SSLSocket notYet = connect(before, before)) {
                assertThat(echo(notYet)).isEqualTo(42);
            }

            tls.renew();

            try (SSLSocket next = connect(after, after)) {
                assertThat(echo(next)).isEqualTo(42);
            }
            try (SSLSocket former = connect(before, after)) {
                assertThatThrownBy(() -> echo(former)).isInstanceOf(IOException.class);
            }
            assertThat(echo(open)).isEqualTo(42);
        }
    }

    /** As cert-manager writes them, unless it is told otherwise. */
    @Test
    void keysMayBeInTheOlderForms() throws Exception {
        String pkcs8 = Files.readString(before.key()).replaceAll("-----.*-----", "");
        ECPrivateKey key = (ECPrivateKey) KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pkcs8)));
        String number = "%064x".formatted(key.getS());
        // ECPrivateKey of RFC 5915: version 1, the number, and secp256r1.
        byte[] sec1 = HexFormat.of().parseHex("303102010104" + "20" + number + "a00a" + "06082a8648ce3d030107");
        Files.writeString(
                directory.resolve("tls.key"),
                "-----BEGIN EC PRIVATE KEY-----\n" + Base64.getMimeEncoder().encodeToString(sec1)
                        + "\n-----END EC PRIVATE KEY-----\n");
        tls.renew();
        try (SSLSocket next = connect(before, before)) {
            assertThat(echo(next)).isEqualTo(42);
        }
    }

    @Test
    void whatCannotBeUsedChangesNothing() throws Exception {
        put(after.certificate(), "tls.crt");
        assertThatThrownBy(tls::renew)
                .isInstanceOf(FailureException.class)
                .hasMessageContaining("the key is not the certificate's");
        put(before.certificate(), "tls.crt");
        Files.writeString(directory.resolve("ca.crt"), "");
        assertThatThrownBy(tls::renew)
                .isInstanceOf(FailureException.class)
                .hasMessageContaining("there is no certificate");
        Files.delete(directory.resolve("tls.key"));
        assertThatThrownBy(tls::renew).isInstanceOf(FailureException.class);
        try (SSLSocket next = connect(before, before)) {
            assertThat(echo(next)).isEqualTo(42);
        }
    }
}
