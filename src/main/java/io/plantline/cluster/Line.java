package io.plantline.cluster;

import java.util.List;
import org.jgroups.Address;
import org.jgroups.Event;
import org.jgroups.View;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.blocks.cs.ConnectionListener;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.TCP;
import org.jspecify.annotations.Nullable;

/**
 * The transport, which takes a connection that its peer has closed for a sign that the peer is gone. So a process that was killed
 * is known to be gone within two seconds, not after the silence that a cut link needs; whoever is suspected is asked first.
 */
final class Line extends TCP {
    Line() {
        setId(ClassConfigurator.getProtocolId(TCP.class));
    }

    @Override
    protected void handleConnect() throws Exception {
        srv.addConnectionListener(new Watch());
        super.handleConnect();
    }

    private final class Watch implements ConnectionListener {
        @Override
        public void connectionEstablished(Connection connection) {
            // That a peer is there is said by the view.
        }

        @Override
        public void connectionClosed(@Nullable Connection connection) {
            Address peer = connection == null ? null : connection.peerAddress();
            View now = view();
            if (peer == null || now == null) {
                return;
            }
            for (Address member : now.getMembers()) {
                if (!member.equals(addr()) && peer.equals(getPhysicalAddressFromCache(member))) {
                    up_prot.up(new Event(Event.SUSPECT, List.of(member)));
                }
            }
        }
    }
}
