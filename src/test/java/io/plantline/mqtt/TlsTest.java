package io.plantline.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.mqtt.SessionStatus.State;
import io.plantline.spi.Proxy;
import io.plantline.spi.TlsSettings;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.ConnectProxy;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates that are not to be trusted, and mutual TLS. */
class TlsTest {
    @TempDir
    private static Path directory;

    private static Certificates broker;
    private static Certificates elsewhere;
    private static Certificates client;

    @BeforeAll
    static void makeCertificates() throws Exception {
        broker = Certificates.make(directory, "broker", "dns:localhost");
        elsewhere = Certificates.make(directory, "elsewhere", "dns:elsewhere.example");
        client = Certificates.make(directory, "client", "dns:client");
    }

    private static SessionHarness session(ScriptedBroker server, TlsSettings tls) {
        SessionHarness.Options options = new SessionHarness.Options();
        options.ports = new int[] {server.port()};
        options.host = "localhost";
        options.tls = Optional.of(tls);
        return SessionHarness.start(options);
    }

    private static void isRefused(ScriptedBroker server, SessionHarness session) {
        for (int i = 0; i < 3; i++) {
            assertThat(server.accept().read()).as("no CONNECT gets through").isNull();
        }
        await().until(() -> session.status().counters().connects() > 2);
        assertThat(session.states()).noneMatch(status -> status.state() == State.SUBSCRIBED);
    }

    @Test
    void aProxyIsOnTheWayAndTheHostIsStillVerified() throws Exception {
        SessionHarness.Options options = new SessionHarness.Options();
        try (ScriptedBroker server = ScriptedBroker.startTls(broker.server(client), false);
                ConnectProxy proxy = ConnectProxy.start()) {
            options.ports = new int[] {server.port()};
            options.host = "localhost";
            options.tls = Optional.of(new TlsSettings(broker.certificate().toString(), null, null));
            options.proxy = Proxy.parse(proxy.address());
            try (SessionHarness session = SessionHarness.start(options).safeAtOnce()) {
                server.welcome(false).publish("a/1", 1, 1, false, "through the proxy");
                assertThat(session.next().payload()).isEqualTo("through the proxy");
                assertThat(proxy.requests()).containsExactly("CONNECT localhost:" + server.port());
            }
        }
    }

    @Test
    void aPrivateAuthorityIsTrustedWhereItIsNamed() throws Exception {
        try (ScriptedBroker server = ScriptedBroker.startTls(broker.server(client), false);
                SessionHarness session = session(
                                server, new TlsSettings(broker.certificate().toString(), null, null))
                        .safeAtOnce()) {
            ScriptedBroker.Connection connection = server.welcome(false);
            connection.publish("a/1", 1, 1, false, "over TLS");
            connection.expectAck(Packet.PUBACK, 1);
            assertThat(session.next().payload()).isEqualTo("over TLS");
        }
    }

    @Test
    void aCertificateForAnotherHostIsRefused() throws Exception {
        try (ScriptedBroker server = ScriptedBroker.startTls(elsewhere.server(client), false);
                SessionHarness session =
                        session(server, new TlsSettings(elsewhere.certificate().toString(), null, null))) {
            isRefused(server, session);
        }
    }

    @Test
    void anUnknownAuthorityIsRefused() throws Exception {
        try (ScriptedBroker server = ScriptedBroker.startTls(broker.server(client), false);
                SessionHarness session = session(server, new TlsSettings(null, null, null))) {
            isRefused(server, session);
        }
    }

    @Test
    void aBrokerThatWantsACertificateGetsOurs() throws Exception {
        try (ScriptedBroker server = ScriptedBroker.startTls(broker.server(client), true);
                SessionHarness session = session(
                        server,
                        new TlsSettings(
                                broker.certificate().toString(),
                                client.certificate().toString(),
                                client.key().toString()))) {
            server.welcome(false);
            session.awaitState(State.SUBSCRIBED);
        }
    }

    @Test
    void aBrokerThatWantsACertificateRefusesUsWithoutOne() throws Exception {
        try (ScriptedBroker server = ScriptedBroker.startTls(broker.server(client), true);
                SessionHarness session =
                        session(server, new TlsSettings(broker.certificate().toString(), null, null))) {
            isRefused(server, session);
        }
    }
}
