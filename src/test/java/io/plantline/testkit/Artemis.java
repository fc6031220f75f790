package io.plantline.testkit;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.postoffice.impl.LocalQueueBinding;
import org.apache.activemq.artemis.core.protocol.mqtt.MQTTStateManager;
import org.apache.activemq.artemis.core.security.CheckType;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.ActiveMQServer;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.Queue;
import org.apache.activemq.artemis.core.server.impl.ActiveMQServerImpl;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.spi.core.security.ActiveMQSecurityManager;

/**
 * Apache Artemis inside the test's JVM: MQTT 5 and 3.1.1. The journal is not synchronised, because with it Artemis 2.44
 * delivers out of order; it never sets DUP, and gives a message a new packet identifier when it sends it again.
 */
public final class Artemis implements AutoCloseable {
    private final int port;
    private final Path directory;
    private final String user;
    private final String password;
    private ActiveMQServer server;

    private Artemis(int port, Path directory, String user, String password) {
        this.port = port;
        this.directory = directory;
        this.user = user;
        this.password = password;
    }

    /** A broker that forgets everything when it stops. */
    public static Artemis start() {
        return new Artemis(Ports.free(), null, null, null).startAgain();
    }

    /** A broker whose sessions and messages survive {@link #close} and {@link #startAgain}. */
    public static Artemis startPersistent(Path directory) {
        return new Artemis(Ports.free(), directory, null, null).startAgain();
    }

    /** A broker that lets one user in. */
    public static Artemis startSecured(int port, String user, String password) {
        return new Artemis(port, null, user, password).startAgain();
    }

    public Artemis startAgain() {
        try {
            server = new ActiveMQServerImpl(configuration(), null, security());
            server.start();
            if (!server.waitForActivation(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("Artemis did not start on port " + port);
            }
            return this;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private Configuration configuration() throws Exception {
        Configuration configuration = new ConfigurationImpl();
        configuration.setName("artemis-" + port);
        configuration.setPersistenceEnabled(directory != null);
        if (directory != null) {
            configuration.setJournalType(JournalType.NIO);
            configuration.setJournalDirectory(directory.resolve("journal").toString());
            configuration.setBindingsDirectory(directory.resolve("bindings").toString());
            configuration.setLargeMessagesDirectory(directory.resolve("large").toString());
            configuration.setPagingDirectory(directory.resolve("paging").toString());
            configuration.setNodeManagerLockDirectory(directory.resolve("lock").toString());
            configuration.setJournalSyncTransactional(false).setJournalSyncNonTransactional(false);
        }
        configuration.setSecurityEnabled(user != null);
        configuration.setJMXManagementEnabled(false);
        configuration.setCriticalAnalyzer(false);
        configuration.setGracefulShutdownEnabled(false);
        configuration.setMaxDiskUsage(-1);
        configuration.setGlobalMaxSize(-1);
        configuration.setGlobalMaxMessages(-1);
        configuration.addAddressSetting(
                "#",
                new AddressSettings()
                        .setMaxSizeBytes(-1)
                        .setMaxSizeMessages(-1)
                        .setAddressFullMessagePolicy(AddressFullMessagePolicy.PAGE)
                        .setMaxDeliveryAttempts(-1));
        configuration.addAcceptorConfiguration(
                "mqtt", "tcp://127.0.0.1:" + port + "?protocols=MQTT;serverKeepAlive=65535");
        return configuration;
    }

    private ActiveMQSecurityManager security() {
        return new ActiveMQSecurityManager() {
            @Override
            public boolean validateUser(String name, String secret) {
                return user == null || Objects.equals(user, name) && Objects.equals(password, secret);
            }

            @Override
            public boolean validateUserAndRole(String name, String secret, Set<Role> roles, CheckType type) {
                return validateUser(name, secret);
            }
        };
    }

    public int port() {
        return port;
    }

    /** Cuts every connection, as a network does. */
    public void cutAll() {
        List.copyOf(server.getRemotingService().getConnections()).forEach(connection -> connection.disconnect(true));
    }

    /** Messages that wait for their subscribers, or are delivered and not acknowledged; not those that Artemis sends itself. */
    public long waiting() {
        return server.getPostOffice()
                .getAllBindings()
                .filter(LocalQueueBinding.class::isInstance)
                .map(binding -> ((LocalQueueBinding) binding).getQueue())
                .filter(queue -> !queue.getAddress().toString().startsWith("$"))
                .mapToLong(Queue::getMessageCount)
                .sum();
    }

    @Override
    public void close() {
        try {
            Map<String, ?> clients =
                    server.isActive() ? MQTTStateManager.getInstance(server).getConnectedClients() : Map.of();
            if (server.getRemotingService() != null) {
                cutAll();
            }
            long end = System.nanoTime() + 2_000_000_000L;
            while (!clients.isEmpty() && System.nanoTime() < end) {
                LockSupport.parkNanos(5_000_000);
            }
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
