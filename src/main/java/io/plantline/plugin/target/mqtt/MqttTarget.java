package io.plantline.plugin.target.mqtt;

import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import io.vertx.mqtt.MqttConnectionException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Publishes with Vert.x MQTT's client. An object of it serves one connection: a reused one leaks its window. */
final class MqttTarget implements Target {
    private final MqttTargetConfig config;
    private final TargetContext context;
    private final String clientId;
    private final Suspects suspects = new Suspects();
    private @Nullable Link link;
    private @Nullable Future<Link> connecting;
    private boolean refreshCredential;

    MqttTarget(MqttTargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.clientId = config.clientId().orElseGet(() -> "plantline-" + context.name() + "-" + UUID.randomUUID());
    }

    /** A connection, and the publishes that wait for its acknowledgements. */
    private static final class Link {
        private final MqttClient client;
        private final Outgoing outgoing;

        Link(MqttClient client, Outgoing outgoing) {
            this.client = client;
            this.outgoing = outgoing;
        }
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        return connected().compose(open -> open.outgoing.publish(batch));
    }

    private Future<Link> connected() {
        Link open = link;
        if (open != null && open.client.isConnected()) {
            return Future.succeededFuture(open);
        }
        if (connecting == null) {
            connecting = connect().andThen(done -> connecting = null);
        }
        return connecting;
    }

    private Future<Link> connect() {
        boolean refresh = refreshCredential;
        refreshCredential = false;
        Future<Optional<Credential>> credential = config.credential().isPresent()
                ? context.credential(config.credential().get(), refresh).map(Optional::of)
                : Future.succeededFuture(Optional.empty());
        return credential.compose(this::connect);
    }

    private Future<Link> connect(Optional<Credential> credential) {
        Outgoing outgoing = new Outgoing(context.vertx(), config, suspects);
        MqttClient client =
                MqttClient.create(BatchedWrites.of(context.vertx(), outgoing::awaited), options(credential));
        outgoing.attach(client);
        client.publishCompletionHandler(outgoing::acknowledged);
        client.closeHandler(v -> {
            outgoing.closed();
            if (link != null && link.client == client) {
                link = null;
            }
        });
        Promise<Link> promise = Promise.promise();
        long timer = context.vertx().setTimer(10_000, id -> {
            promise.tryFail(Failure.retry("connect-timeout", "no CONNACK from " + where())
                    .asException());
            client.disconnect();
        });
        client.connect(config.port(), config.host()).onComplete(connack -> {
            context.vertx().cancelTimer(timer);
            if (connack.succeeded()) {
                Link open = new Link(client, outgoing);
                if (promise.tryComplete(open)) {
                    link = open;
                    outgoing.connected();
                } else {
                    client.disconnect();
                }
            } else {
                promise.tryFail(failure(connack.cause()).asException());
            }
        });
        return promise.future();
    }

    private MqttClientOptions options(Optional<Credential> credential) {
        MqttClientOptions options = new MqttClientOptions()
                .setClientId(clientId)
                .setCleanSession(true)
                .setKeepAliveInterval((int) Math.max(1, config.keepAlive().toSeconds()))
                .setMaxInflightQueue(config.maxInFlight())
                .setMaxMessageSize(268_435_455);
        options.setConnectTimeout(10_000);
        options.setTcpNoDelay(true);
        options.setHostnameVerificationAlgorithm("HTTPS");
        config.tls().ifPresent(tls -> tls.applyTo(options));
        config.proxy().ifPresent(proxy -> options.setProxyOptions(proxy.options()));
        credential.ifPresent(c -> options.setUsername(c.username())
                .setPassword(new String(c.password(), java.nio.charset.StandardCharsets.UTF_8)));
        return options;
    }

    private Failure failure(Throwable cause) {
        if (cause instanceof MqttConnectionException refused) {
            MqttConnectReturnCode code = refused.code();
            refreshCredential = code == MqttConnectReturnCode.CONNECTION_REFUSED_BAD_USER_NAME_OR_PASSWORD
                    || code == MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED;
            return code == MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE
                    ? Failure.retry("server-unavailable", where())
                    : Failure.operator("connection-refused", where() + ": " + code);
        }
        return Failure.retry("unreachable", where() + ": " + cause.getMessage());
    }

    private String where() {
        return config.host() + ":" + config.port();
    }

    @Override
    public Future<Void> close() {
        Link open = link;
        link = null;
        return open == null
                ? Future.succeededFuture()
                : open.client.disconnect().otherwiseEmpty();
    }
}
