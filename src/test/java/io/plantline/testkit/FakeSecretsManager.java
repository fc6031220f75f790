package io.plantline.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A fake: GetSecretValue of the Secrets Manager API (AWS JSON 1.1), and nothing else of it. */
public final class FakeSecretsManager implements AutoCloseable {
    private static final Pattern SECRET_ID = Pattern.compile("\"SecretId\"\\s*:\\s*\"([^\"]+)\"");

    private final HttpServer server;
    private final Map<String, String> secrets = new ConcurrentHashMap<>();
    private final AtomicInteger requests = new AtomicInteger();

    private FakeSecretsManager(HttpServer server) {
        this.server = server;
    }

    public static FakeSecretsManager start() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            FakeSecretsManager fake = new FakeSecretsManager(server);
            server.createContext("/", fake::answer);
            server.start();
            return fake;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public FakeSecretsManager secret(String name, String username, String password) {
        secrets.put(name, "{\"username\":\"" + username + "\",\"password\":\"" + password + "\"}");
        return this;
    }

    public int requests() {
        return requests.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        requests.incrementAndGet();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String action = exchange.getRequestHeaders().getFirst("X-Amz-Target");
        Matcher id = SECRET_ID.matcher(body);
        String secret = id.find() ? secrets.get(id.group(1)) : null;
        if (!"secretsmanager.GetSecretValue".equals(action)) {
            reply(exchange, 400, "{\"__type\":\"InvalidRequestException\",\"message\":\"not faked\"}");
        } else if (secret == null) {
            reply(exchange, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no such secret\"}");
        } else {
            reply(
                    exchange,
                    200,
                    "{\"Name\":\"" + id.group(1) + "\",\"SecretString\":\"" + secret.replace("\"", "\\\"") + "\"}");
        }
    }

    private static void reply(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.1");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
