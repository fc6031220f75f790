package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.plantline.spi.TlsSettings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/**
 * The pod of a StatefulSet that this process runs in. When it is told to end it asks the API server whether its ordinal is
 * still wanted: a restart comes back for its session at the broker, a scale-in does not. It needs to {@code get} that one
 * StatefulSet, and nothing else.
 */
public record StatefulSetReplica(URI api, Path account, String namespace, String name, int ordinal) {
    /** Name of the StatefulSet; without it the pod is taken for one that comes back. */
    public static final String NAME = "EDGE_STATEFULSET";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ORDINAL = Pattern.compile("-(\\d{1,6})$");
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final String ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

    /** What the environment says; nothing outside of a StatefulSet. */
    public static Optional<StatefulSetReplica> of(Map<String, String> environment) {
        String name = environment.get(NAME);
        Matcher ordinal = ORDINAL.matcher(environment.getOrDefault("HOSTNAME", ""));
        if (name == null || name.isBlank() || !ordinal.find()) {
            return Optional.empty();
        }
        Path account = Path.of(environment.getOrDefault("EDGE_SERVICE_ACCOUNT", ACCOUNT));
        String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc");
        String api = environment.getOrDefault(
                "EDGE_KUBERNETES_API",
                "https://" + (host.contains(":") ? "[" + host + "]" : host) + ":"
                        + environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443"));
        return Optional.of(new StatefulSetReplica(
                URI.create(api),
                account,
                environment.getOrDefault("EDGE_NAMESPACE", "default"),
                name,
                Integer.parseInt(ordinal.group(1))));
    }

    /**
     * Whether the StatefulSet wants this ordinal. Blocks.
     *
     * @throws IOException if that cannot be found out
     */
    public boolean comesBack() throws IOException {
        HttpRequest request = HttpRequest.newBuilder(
                        api.resolve("/apis/apps/v1/namespaces/" + namespace + "/statefulsets/" + name))
                .header(
                        "Authorization",
                        "Bearer " + Files.readString(account.resolve("token")).strip())
                .header("Accept", "application/json")
                .timeout(TIMEOUT)
                .build();
        try {
            HttpResponse<byte[]> answer = client().send(request, HttpResponse.BodyHandlers.ofByteArray());
            if (answer.statusCode() == 404) {
                return false;
            }
            if (answer.statusCode() != 200) {
                throw new IOException("the API server answers " + answer.statusCode());
            }
            JsonNode set = JSON.readTree(answer.body());
            int first = set.path("spec").path("ordinals").path("start").asInt(0);
            boolean deleted = set.path("metadata").has("deletionTimestamp");
            return !deleted
                    && ordinal < first + set.path("spec").path("replicas").asInt(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private HttpClient client() throws IOException {
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(TIMEOUT);
        Path authority = account.resolve("ca.crt");
        if (Files.exists(authority)) {
            try {
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, TlsSettings.trustManagers(authority.toString()), null);
                client.sslContext(context);
            } catch (GeneralSecurityException e) {
                throw new IOException(e);
            }
        }
        return client.build();
    }
}
