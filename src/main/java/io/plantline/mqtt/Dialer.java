package io.plantline.mqtt;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Opens TCP and TLS connections to the addresses of a session, in turn, with the credential of the moment. */
final class Dialer {
    private final Vertx vertx;
    private final SessionOptions options;
    private final CredentialSource credentials;
    private NetClient client;
    private @Nullable NetClient former;
    private int index;
    private boolean refresh;

    /** A connection that nothing was said on yet. */
    record Line(NetSocketInternal socket, Optional<Credential> credential) {}

    Dialer(Vertx vertx, SessionOptions options, CredentialSource credentials) {
        this.vertx = vertx;
        this.options = options;
        this.credentials = credentials;
        this.client = vertx.createNetClient(net(options));
    }

    private static NetClientOptions net(SessionOptions options) {
        NetClientOptions net = new NetClientOptions()
                .setConnectTimeout(milliseconds(options.connectTimeout().toMillis()))
                .setSslHandshakeTimeout(options.connectTimeout().toMillis())
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                .setTcpNoDelay(true)
                .setTcpKeepAlive(true)
                .setHostnameVerificationAlgorithm("HTTPS");
        options.tls().ifPresent(tls -> tls.applyTo(net));
        options.proxy().ifPresent(proxy -> net.setProxyOptions(proxy.options()));
        return net;
    }

    private static int milliseconds(long value) {
        return (int) Math.min(Integer.MAX_VALUE, value);
    }

    /** The address that is tried, or connected to. */
    SessionOptions.Address address() {
        return options.addresses().get(index % options.addresses().size());
    }

    /** The next attempt goes elsewhere, if there is an elsewhere. */
    void tryNextAddress() {
        index++;
    }

    /** The credential was refused: the next attempt reads it again. */
    void refreshCredential() {
        refresh = true;
    }

    /** The same again, with the certificates of now. */
    Dialer another() {
        return new Dialer(vertx, options, credentials);
    }

    /**
     * Uses the certificates of now from the next connection on. That needs another client: one that is told to read the same
     * files again goes on with what it has of them (Vert.x 5.0).
     */
    void renew() {
        NetClient before = client;
        client = vertx.createNetClient(net(options));
        if (former == null) {
            former = before;
        } else {
            before.close();
        }
    }

    /** The connection is closed: the client that made it may go. */
    void disconnected() {
        NetClient left = former;
        former = null;
        if (left != null) {
            left.close();
        }
    }

    /** Whether somebody is there: dials and hangs up. */
    Future<Void> probe() {
        return dial().compose(line -> line.socket().close());
    }

    /** Dials once; fails with a {@link io.plantline.model.FailureException} whose code is for the log. */
    Future<Line> dial() {
        boolean again = refresh;
        refresh = false;
        return Future.future((Promise<Optional<Credential>> promise) ->
                        credentials.credential(again).onComplete(promise))
                .timeout(options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .recover(e -> failed("MQTT-AUTH", "the credential cannot be read: " + e.getMessage()))
                .compose(this::connect);
    }

    private Future<Line> connect(Optional<Credential> credential) {
        SessionOptions.Address to = address();
        return client.connect(to.port(), to.host())
                .map(socket -> new Line((NetSocketInternal) socket, credential))
                .recover(e -> {
                    tryNextAddress();
                    return failed(
                            options.tls().isPresent() ? "MQTT-TLS" : "MQTT-CONNECT", String.valueOf(e.getMessage()));
                });
    }

    private static <T> Future<T> failed(String code, String detail) {
        return Future.failedFuture(Failure.retry(code, detail).asException());
    }

    Future<Void> close() {
        disconnected();
        return client.close();
    }
}
