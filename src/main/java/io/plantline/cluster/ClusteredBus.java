package io.plantline.cluster;

import io.plantline.config.ClusterConfig;
import io.plantline.config.MutualTls;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import java.util.Optional;

/** A Vert.x whose event bus reaches the other nodes of a cluster. */
public final class ClusteredBus {
    private static final int CONNECT_MILLIS = 5_000;
    private static final int RECONNECT_MILLIS = 500;
    private static final long PING_MILLIS = 3_000;

    private ClusteredBus() {}

    /**
     * Joins the cluster, or begins it if nobody is there.
     *
     * @param options of everything but the bus
     * @param tls of the cluster's membership, if it has some; the bus reads the same files, once: Vert.x hands its options on as JSON
     */
    public static Future<Vertx> join(VertxOptions options, ClusterConfig cluster, Optional<MutualTls> tls) {
        EventBusOptions bus = new EventBusOptions()
                .setHost(cluster.host())
                .setPort(cluster.busPort())
                .setConnectTimeout(CONNECT_MILLIS)
                .setReconnectAttempts(1)
                .setReconnectInterval(RECONNECT_MILLIS)
                .setTcpNoDelay(true)
                // A connection that a cut link has left half open is noticed by these, not by TCP.
                .setClusterPingInterval(PING_MILLIS)
                .setClusterPingReplyInterval(PING_MILLIS);
        cluster.tls().ifPresent(files -> {
            files.applyTo(bus);
            bus.setClientAuth(ClientAuth.REQUIRED);
        });
        return Vertx.builder()
                .with(new VertxOptions(options).setEventBusOptions(bus))
                .withClusterManager(new Membership(cluster, tls))
                .buildClustered()
                // Nothing of the pipeline is Java-serialized, so nothing that is may come in.
                .map(vertx -> {
                    vertx.eventBus().clusterSerializableChecker(name -> false);
                    return vertx;
                });
    }
}
