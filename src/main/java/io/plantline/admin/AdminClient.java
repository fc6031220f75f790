package io.plantline.admin;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.plantline.observe.ConfigurationReport;
import io.plantline.observe.DeadLetter;
import io.plantline.observe.OutboxReport;
import io.plantline.runtime.Operations;
import io.plantline.runtime.Reloads;
import io.vertx.core.Future;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Asks a running program. Its calls block. */
public final class AdminClient implements Operations, Reloads {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String port;
    private final String token;

    /**
     * A client.
     *
     * @param file with port and token
     * @throws IOException if the program does not listen
     */
    public AdminClient(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        if (lines.size() < 2) {
            throw new IOException(file + " is not what a running program writes");
        }
        this.port = lines.get(0);
        this.token = lines.get(1);
    }

    @Override
    public Future<List<OutboxReport>> outboxes() {
        return call("GET", "/outboxes", new TypeReference<>() {});
    }

    @Override
    public Future<List<DeadLetter>> deadLetters(String target, long from, int limit) {
        return call(
                "GET",
                "/dead-letters/" + encoded(target) + "?from=" + from + "&limit=" + limit,
                new TypeReference<>() {});
    }

    @Override
    public Future<Long> purgeDeadLetters(String target, long upTo) {
        return call("POST", "/dead-letters/" + encoded(target) + "/purge?up-to=" + upTo, new TypeReference<>() {});
    }

    @Override
    public Future<Long> replayDeadLetters(String target, String to, long upTo) {
        return call(
                "POST",
                "/dead-letters/" + encoded(target) + "/replay?to=" + encoded(to) + "&up-to=" + upTo,
                new TypeReference<>() {});
    }

    @Override
    public Future<Long> moveWaiting(String from, @Nullable String to, boolean tried) {
        return call(
                "POST",
                "/outboxes/" + encoded(from) + (to == null ? "/purge?" : "/retarget?to=" + encoded(to) + "&") + "tried="
                        + tried,
                new TypeReference<>() {});
    }

    @Override
    public Future<ConfigurationReport> configuration() {
        return call("GET", "/configuration", new TypeReference<>() {});
    }

    @Override
    public Future<ConfigurationReport> reload() {
        return call("POST", "/configuration/reload", new TypeReference<>() {});
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private <T> Future<T> call(String method, String path, TypeReference<T> type) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("Authorization", "Bearer " + token)
                .timeout(TIMEOUT)
                .build();
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == 200
                    ? Future.succeededFuture(JSON.readValue(response.body(), type))
                    : Future.failedFuture(new RefusedException(response.body().strip()));
        } catch (IOException e) {
            return Future.failedFuture(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Future.failedFuture(e);
        }
    }
}
