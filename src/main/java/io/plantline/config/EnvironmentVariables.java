package io.plantline.config;

import io.plantline.config.BrokerConfig.BrokerAddress;
import io.plantline.config.ClusterConfig.Role;
import io.plantline.model.Problem;
import io.plantline.spi.Endpoint;
import io.plantline.spi.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The environment variables of the reference manifest, and those beside them. */
public final class EnvironmentVariables {
    /** Host of the broker, or several, separated by commas, for failover. */
    public static final String HOST = "EDGE_BROKER_HOST";
    /** Port of the broker. */
    public static final String PORT = "EDGE_MQTT_PORT";
    /** The whole document. */
    public static final String DOCUMENT = "EDGE_SUBSCRIPTION_CONFIG";
    /** Client identifier, where the document names none. */
    public static final String CLIENT_ID = "EDGE_CLIENT_ID";

    /** Folder that outlives the process; with it messages are kept on disk. */
    public static final String DATA_DIRECTORY = "EDGE_DATA_DIR";

    /** What a node of a cluster does. */
    public static final String ROLES = "EDGE_ROLES";

    /** Host or address by which the other nodes of a cluster reach this one. */
    public static final String CLUSTER_HOST = "EDGE_CLUSTER_HOST";

    private final Map<String, String> variables;
    private final List<Problem> problems;

    EnvironmentVariables(Map<String, String> variables, List<Problem> problems) {
        this.variables = variables;
        this.problems = problems;
    }

    /** Reports what those who read variables themselves, the log and clients, could not. */
    void check() {
        for (String name : List.of("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")) {
            String text = variables.getOrDefault(name, "").trim();
            if (!text.isEmpty()
                    && Proxy.parse(text.contains("://") ? text : "http://" + text)
                            .isEmpty()) {
                // Without the text, which may hold a password.
                problems.add(Problem.error(
                        "", name + " is no address of a proxy", "http://host:port or socks5://host:port"));
            }
        }
        oneOf("PLANTLINE_LOG", List.of("console", "json"));
        oneOf("PLANTLINE_LOG_LEVEL", List.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"));
    }

    private void oneOf(String name, List<String> allowed) {
        String text = variables.getOrDefault(name, "");
        if (!text.isEmpty() && !allowed.contains(text)) {
            problems.add(Problem.error("", name + " is \"" + text + "\"", "one of " + String.join(", ", allowed)));
        }
    }

    List<BrokerAddress> brokerAddresses(int defaultPort) {
        String hosts = variables.getOrDefault(HOST, "").trim();
        if (hosts.isEmpty()) {
            return List.of();
        }
        int port = port(defaultPort);
        return Arrays.stream(hosts.split(",", -1))
                .map(host -> address("/mqtt-broker/addresses", host.trim(), port))
                .toList();
    }

    private int port(int otherwise) {
        String text = variables.getOrDefault(PORT, "").trim();
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            int port = Integer.parseInt(text);
            if (port > 0 && port < 65_536) {
                return port;
            }
        } catch (NumberFormatException e) {
            // Reported below, in the user's words.
        }
        problems.add(Problem.error("", PORT + " is \"" + text + "\", not a port", "a number from 1 to 65535"));
        return otherwise;
    }

    /** {@code host}, {@code host:port} or {@code [address]:port}; what it is not is reported at {@code place}. */
    BrokerAddress address(String place, String text, int defaultPort) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && text.indexOf(':', bracket + 1) == colon;
        String host = hasPort ? text.substring(0, colon) : text;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        String portText = hasPort ? text.substring(colon + 1) : Integer.toString(defaultPort);
        boolean isPort =
                portText.matches("[0-9]{1,5}") && Integer.parseInt(portText) > 0 && Integer.parseInt(portText) < 65_536;
        if (!Endpoint.isHost(host) || !isPort) {
            problems.add(Problem.error(place, "\"" + text + "\" is no address", "host or host:port"));
            return new BrokerAddress("invalid", defaultPort);
        }
        return new BrokerAddress(host, Integer.parseInt(portText));
    }

    Optional<String> dataDirectory() {
        return Optional.ofNullable(variables.get(DATA_DIRECTORY))
                .map(String::trim)
                .filter(folder -> !folder.isEmpty());
    }

    /** What this node does; everything, unless it is told. */
    Set<Role> roles() {
        String text = variables.getOrDefault(ROLES, "").trim();
        Set<Role> roles = new TreeSet<>();
        for (String name : text.isEmpty() ? new String[0] : text.split("[,\\s]+", -1)) {
            try {
                roles.add(Role.valueOf(name.toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                problems.add(Problem.error(
                        "",
                        ROLES + " has \"" + name + "\", not a role",
                        "dispatcher, processor and publisher, or some of them"));
            }
        }
        return roles.isEmpty() ? Role.ALL : roles;
    }

    String clusterHost() {
        String named = variables.getOrDefault(CLUSTER_HOST, "").trim();
        if (!named.isEmpty()) {
            return named;
        }
        try {
            return InetAddress.getLocalHost().getHostAddress();
        } catch (UnknownHostException e) {
            problems.add(Problem.error("/cluster", "this node does not know its address", "set " + CLUSTER_HOST));
            return "localhost";
        }
    }

    /** The client identifier where the document names none, with a warning if it is a guess. */
    String defaultClientId() {
        String identifier = clientId();
        if (named(CLIENT_ID).isEmpty()) {
            problems.add(Problem.warning(
                    "/mqtt-broker/client-id",
                    "the client identifier comes from the host name: " + identifier,
                    "it must be the same after every restart, or the broker's session is lost; set client-id or "
                            + CLIENT_ID + " where host names change"));
        }
        return identifier;
    }

    String clientId() {
        String named = named(CLIENT_ID);
        if (!named.isEmpty()) {
            return named;
        }
        String host = variables.getOrDefault("HOSTNAME", "");
        if (host.isEmpty()) {
            try {
                host = InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                host = "localhost";
            }
        }
        return "plantline-" + host;
    }

    private String named(String variable) {
        return variables.getOrDefault(variable, "").trim();
    }

    @Override
    public String toString() {
        return variables.getOrDefault(HOST, "") + ":" + variables.getOrDefault(PORT, "") + ":"
                + variables.getOrDefault(CLIENT_ID, "") + ":" + variables.getOrDefault(ROLES, "");
    }
}
