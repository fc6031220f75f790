package io.plantline.cluster;

import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.config.ClusterConfig;
import io.plantline.config.MutualTls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLServerSocket;
import javax.sql.DataSource;
import org.infinispan.remoting.transport.jgroups.JGroupsChannelConfigurator;
import org.jgroups.JChannel;
import org.jgroups.conf.ProtocolConfiguration;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.MFC;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UFC;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;
import org.jgroups.util.DefaultSocketFactory;
import org.jgroups.util.SocketFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How members of a cluster talk about membership: TCP on one port, mutual TLS where it is configured, members looked up by name
 * again and again, a dead process noticed within two seconds ({@link Line}) and a cut link within some eight. There is no FD_SOCK:
 * its port has no TLS.
 */
final class Channel implements JGroupsChannelConfigurator {
    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);
    private static final long LOOKUP_SECONDS = 10;
    private static final long HEARTBEAT_MILLIS = 2_000;
    private static final long SILENCE_MILLIS = 8_000;

    private final ClusterConfig cluster;
    private final Optional<MutualTls> tls;

    Channel(ClusterConfig cluster, Optional<MutualTls> tls) {
        this.cluster = cluster;
        this.tls = tls;
    }

    @Override
    public String getName() {
        return cluster.name();
    }

    @Override
    public String getProtocolStackString() {
        return "";
    }

    @Override
    public List<ProtocolConfiguration> getProtocolStack() {
        return List.of();
    }

    @Override
    public void setSocketFactory(SocketFactory factory) {
        // Ours is made with the channel.
    }

    @Override
    public void setDataSource(DataSource source) {
        // Members are not looked up in a database.
    }

    @Override
    public JChannel createChannel(String name) throws Exception {
        TCP tcp = new Line();
        tcp.setBindAddress(InetAddress.getByName(cluster.host()));
        tcp.setBindPort(cluster.port());
        tcp.setPortRange(0);
        tls.ifPresent(mutual -> tcp.setSocketFactory(sockets(mutual)));
        TCPPING discovery = new TCPPING();
        discovery.setPortRange(0);
        discovery.setInitialHosts(members());
        JChannel channel = new JChannel(
                tcp,
                discovery,
                new MERGE3().setMinInterval(3_000).setMaxInterval(10_000),
                new FD_ALL3().setInterval(HEARTBEAT_MILLIS).setTimeout(SILENCE_MILLIS),
                new VERIFY_SUSPECT2().setTimeout(1_000),
                new NAKACK2().useMcastXmit(false),
                new UNICAST3(),
                new STABLE(),
                new GMS().printLocalAddress(false).setJoinTimeout(2_000),
                new UFC(),
                new MFC(),
                new FRAG4());
        tcp.getDiagnosticsHandler().setEnabled(false);
        channel.setName(cluster.host() + ":" + cluster.port());
        tcp.getTimer()
                .scheduleWithFixedDelay(
                        () -> discovery.setInitialHosts(members()), LOOKUP_SECONDS, LOOKUP_SECONDS, TimeUnit.SECONDS);
        return channel;
    }

    private static DefaultSocketFactory sockets(MutualTls tls) {
        DefaultSocketFactory factory = new DefaultSocketFactory(tls.context());
        factory.setServerSocketConfigurator(socket -> ((SSLServerSocket) socket).setNeedClientAuth(true));
        return factory;
    }

    /** Every address of every name; a name that is not known yet belongs to a member that is not there yet. */
    private List<InetSocketAddress> members() {
        List<InetSocketAddress> members = new ArrayList<>();
        for (BrokerAddress member : cluster.members()) {
            try {
                for (InetAddress address : InetAddress.getAllByName(member.host())) {
                    members.add(new InetSocketAddress(address, member.port()));
                }
            } catch (UnknownHostException e) {
                LOG.debug("{} is not known", member.host());
            }
        }
        return members;
    }
}
