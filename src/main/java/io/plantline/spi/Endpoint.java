package io.plantline.spi;

import java.net.URI;

/**
 * Where a client connects to.
 *
 * @param encrypted whether the connection is secured by TLS
 * @param host name or address, without brackets
 */
public record Endpoint(boolean encrypted, String host, int port) {

    /** Of an HTTP address. */
    public static Endpoint of(URI uri) {
        boolean https = "https".equals(uri.getScheme());
        String host = String.valueOf(uri.getHost());
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return new Endpoint(https, bare, uri.getPort() >= 0 ? uri.getPort() : https ? 443 : 80);
    }

    /** Whether {@code host} can be a host name or an address. */
    public static boolean isHost(String host) {
        return host.matches("[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.%]{2,60}");
    }
}
