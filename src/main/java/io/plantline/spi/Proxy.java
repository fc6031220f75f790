package io.plantline.spi;

import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.ProxyType;
import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A proxy on the way out of the plant: HTTP with CONNECT, or SOCKS 5.
 *
 * @param user only from the environment: a document carries no password
 */
public record Proxy(
        boolean socks,
        String host,
        int port,
        @Nullable String user,
        @Nullable String password) {

    /** The proxy that {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY} ask for on the way to an address. */
    public static Optional<Proxy> fromEnvironment(URI destination) {
        String variable = "https".equals(destination.getScheme()) ? "HTTPS_PROXY" : "HTTP_PROXY";
        String text = variable(variable);
        if (text.isBlank() || isExempt(String.valueOf(destination.getHost()), variable("NO_PROXY"))) {
            return Optional.empty();
        }
        return Optional.of(parse(text.contains("://") ? text : "http://" + text)
                // Without the text, which may hold a password.
                .orElseThrow(
                        () -> new IllegalArgumentException("the variable " + variable + " is no address of a proxy")));
    }

    /** Reads {@code http://[user:password@]host[:port]} or {@code socks5://...}; empty if it is neither. */
    public static Optional<Proxy> parse(String text) {
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        boolean socks = "socks5".equals(uri.getScheme());
        if (uri.getHost() == null || !(socks || "http".equals(uri.getScheme()))) {
            return Optional.empty();
        }
        String user = uri.getUserInfo();
        int colon = user == null ? -1 : user.indexOf(':');
        return Optional.of(new Proxy(
                socks,
                uri.getHost(),
                uri.getPort() >= 0 ? uri.getPort() : socks ? 1080 : 3128,
                user == null ? null : colon < 0 ? user : user.substring(0, colon),
                user == null ? null : colon < 0 ? "" : user.substring(colon + 1)));
    }

    private static boolean isExempt(String host, String exemptions) {
        return Arrays.stream(exemptions.split(","))
                .map(String::strip)
                .filter(entry -> !entry.isEmpty())
                .anyMatch(entry -> entry.equals("*")
                        || host.equalsIgnoreCase(entry)
                        || host.toLowerCase(Locale.ROOT)
                                .endsWith((entry.startsWith(".") ? entry : "." + entry).toLowerCase(Locale.ROOT)));
    }

    private static String variable(String name) {
        String upper = System.getenv(name);
        String lower = System.getenv(name.toLowerCase(Locale.ROOT));
        return upper != null ? upper : lower != null ? lower : "";
    }

    /** As Vert.x wants it. */
    public ProxyOptions options() {
        ProxyOptions options = new ProxyOptions()
                .setType(socks ? ProxyType.SOCKS5 : ProxyType.HTTP)
                .setHost(host)
                .setPort(port);
        if (user != null) {
            options.setUsername(user).setPassword(password);
        }
        return options;
    }

    /** Without the password. */
    @Override
    public String toString() {
        return (socks ? "socks5://" : "http://") + host + ":" + port;
    }
}
