package io.plantline.cluster;

import io.plantline.config.ClusterConfig;
import io.plantline.config.MutualTls;
import io.vertx.core.Completable;
import io.vertx.core.Vertx;
import io.vertx.core.spi.cluster.NodeInfo;
import io.vertx.core.spi.cluster.NodeListener;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.ext.cluster.infinispan.InfinispanClusterManager;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.infinispan.configuration.cache.CacheMode;
import org.infinispan.configuration.cache.Configuration;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.configuration.global.ShutdownHookBehavior;
import org.infinispan.lock.configuration.ClusteredLockManagerConfigurationBuilder;
import org.infinispan.lock.configuration.Reliability;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.remoting.transport.Address;
import org.infinispan.remoting.transport.jgroups.JGroupsTransport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is in the cluster, and who listens at which address. When a cut link heals, each side has forgotten the other's listeners
 * and one side's view wins, so every node says again, every few seconds, what it has: nothing is forgotten for longer.
 */
final class Membership extends InfinispanClusterManager {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);
    private static final long AGAIN_MILLIS = 5_000;

    private final DefaultCacheManager caches;
    private final Map<String, Set<RegistrationInfo>> own = new ConcurrentHashMap<>();
    private @Nullable Vertx vertx;
    private volatile @Nullable NodeInfo self;
    private long timer = -1;

    Membership(ClusterConfig cluster, Optional<MutualTls> tls) {
        this(caches(cluster, tls));
    }

    private Membership(DefaultCacheManager caches) {
        super(caches);
        this.caches = caches;
    }

    private static DefaultCacheManager caches(ClusterConfig cluster, Optional<MutualTls> tls) {
        GlobalConfigurationBuilder global = GlobalConfigurationBuilder.defaultClusteredBuilder();
        global.shutdown().hookBehavior(ShutdownHookBehavior.DONT_REGISTER);
        global.transport()
                .clusterName(cluster.name())
                .addProperty(JGroupsTransport.CHANNEL_CONFIGURATOR, new Channel(cluster, tls));
        // Locks, which nobody takes, would be consistent rather than there: with a node gone nobody could join.
        global.addModule(ClusteredLockManagerConfigurationBuilder.class).reliability(Reliability.AVAILABLE);
        DefaultCacheManager caches = new DefaultCacheManager(global.build(), false);
        Configuration everywhere = cache(CacheMode.REPL_SYNC);
        for (String name : List.of("__vertx.subs", "__vertx.haInfo", "__vertx.nodeInfo")) {
            caches.defineConfiguration(name, everywhere);
        }
        caches.defineConfiguration("distributed-cache", cache(CacheMode.DIST_SYNC));
        caches.defineConfiguration("__vertx.distributed.cache.configuration", cache(CacheMode.DIST_SYNC));
        caches.start();
        return caches;
    }

    private static Configuration cache(CacheMode mode) {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.clustering().cacheMode(mode);
        return builder.build();
    }

    @Override
    public void init(Vertx of) {
        super.init(of);
        vertx = of;
    }

    @Override
    public void join(Completable<Void> joined) {
        // Vert.x itself listens only with its high availability on, which is not used.
        nodeListener(new Watch());
        super.join((nothing, failure) -> {
            Vertx known = vertx;
            if (failure == null && known != null) {
                timer = known.setPeriodic(AGAIN_MILLIS, id -> sayAgain());
                joined.succeed();
            } else {
                joined.fail(failure);
            }
        });
    }

    /** Hears of nodes that come and go. */
    private final class Watch implements NodeListener {
        @Override
        public void nodeAdded(String node) {
            LOG.info("CLUSTER-JOINED: {}", node);
            sayAgain();
        }

        @Override
        public void nodeLeft(String node) {
            LOG.warn("CLUSTER-LEFT: {}", node);
        }
    }

    /** What it inherits asks Infinispan in a way that 15 does not allow. */
    @Override
    public List<String> getNodes() {
        List<Address> members = caches.getMembers();
        return members == null
                ? List.of()
                : members.stream().map(Address::toString).toList();
    }

    private void sayAgain() {
        NodeInfo known = self;
        if (!isActive() || known == null) {
            return;
        }
        super.setNodeInfo(known, (done, failure) -> ignore(failure));
        own.forEach((address, registrations) -> registrations.forEach(
                registration -> super.addRegistration(address, registration, (done, failure) -> ignore(failure))));
    }

    private static void ignore(@Nullable Throwable failure) {
        if (failure != null) {
            LOG.debug("what this node has could not be said; it is said again soon", failure);
        }
    }

    @Override
    public void setNodeInfo(NodeInfo info, Completable<Void> done) {
        self = info;
        super.setNodeInfo(info, done);
    }

    @Override
    public void addRegistration(String address, RegistrationInfo registration, Completable<Void> done) {
        own.computeIfAbsent(address, a -> ConcurrentHashMap.newKeySet()).add(registration);
        super.addRegistration(address, registration, done);
    }

    @Override
    public void removeRegistration(String address, RegistrationInfo registration, Completable<Void> done) {
        own.computeIfPresent(address, (a, registrations) -> {
            Set<RegistrationInfo> left = new HashSet<>(registrations);
            left.remove(registration);
            if (left.isEmpty()) {
                return null;
            }
            registrations.remove(registration);
            return registrations;
        });
        super.removeRegistration(address, registration, done);
    }

    @Override
    public void leave(Completable<Void> left) {
        Vertx known = vertx;
        if (known != null) {
            known.cancelTimer(timer);
        }
        super.leave(left);
    }
}
