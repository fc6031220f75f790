package io.plantline.spi;

import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.ProxyType;
import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The proxy that the environment asks for: {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code NO_PROXY}. */
public final class HttpProxy {
    private HttpProxy() {}

    /** The proxy on the way to {@code destination}, if there is one. */
    public static Optional<ProxyOptions> fromEnvironment(URI destination) {
        String scheme = "https".equals(destination.getScheme()) ? "HTTPS_PROXY" : "HTTP_PROXY";
        String proxy = variable(scheme);
        if (proxy.isBlank() || isExempt(String.valueOf(destination.getHost()), variable("NO_PROXY"))) {
            return Optional.empty();
        }
        URI uri = parse(scheme, proxy.contains("://") ? proxy : "http://" + proxy);
        ProxyOptions options = new ProxyOptions()
                .setType(ProxyType.HTTP)
                .setHost(uri.getHost())
                .setPort(uri.getPort() < 0 ? 3128 : uri.getPort());
        String user = uri.getUserInfo();
        if (user != null) {
            int colon = user.indexOf(':');
            options.setUsername(colon < 0 ? user : user.substring(0, colon));
            options.setPassword(colon < 0 ? "" : user.substring(colon + 1));
        }
        return Optional.of(options);
    }

    /** Says what is wrong without the text, which may hold a password. */
    private static URI parse(String variable, String text) {
        try {
            URI uri = URI.create(text);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Reported below.
        }
        throw new IllegalArgumentException("the variable " + variable + " is no address of a proxy");
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
}
