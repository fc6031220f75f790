package io.plantline.plugin.secret.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.TlsSettings;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.http.nio.netty.SdkEventLoopGroup;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerAsyncClient;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerAsyncClientBuilder;

/** Reads one secret; the client is made off the event loop, because its credentials may come from files or services. */
final class AwsSecret implements SecretProvider {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final AwsSecretFactory.Name name;
    private final Vertx vertx;
    private @Nullable Future<SecretsManagerAsyncClient> client;

    AwsSecret(AwsSecretFactory.Name name, Vertx vertx) {
        this.name = name;
        this.vertx = vertx;
    }

    @Override
    public Future<Credential> read() {
        if (client == null || client.failed()) {
            client = vertx.executeBlocking(this::makeClient);
        }
        return client.compose(this::ask)
                .recover(e -> Future.failedFuture(failure(e).asException()));
    }

    @Override
    public Duration freshFor() {
        return name.refresh();
    }

    private SecretsManagerAsyncClient makeClient() {
        SecretsManagerAsyncClientBuilder builder = SecretsManagerAsyncClient.builder()
                .credentialsProvider(DefaultCredentialsProvider.builder()
                        .asyncCredentialUpdateEnabled(true)
                        .build())
                .overrideConfiguration(override -> override.apiCallTimeout(TIMEOUT))
                .httpClientBuilder(httpClient());
        name.region().ifPresent(region -> builder.region(Region.of(region)));
        return builder.build();
    }

    private NettyNioAsyncHttpClient.Builder httpClient() {
        NettyNioAsyncHttpClient.Builder http = NettyNioAsyncHttpClient.builder()
                .maxConcurrency(2)
                .eventLoopGroupBuilder(SdkEventLoopGroup.builder().numberOfThreads(1));
        name.ca().ifPresent(file -> http.tlsTrustManagersProvider(() -> TlsSettings.trustManagers(file)));
        name.proxy()
                .ifPresent(proxy -> http.proxyConfiguration(ProxyConfiguration.builder()
                        .scheme("http")
                        .host(proxy.host())
                        .port(proxy.port())
                        .build()));
        return http;
    }

    private Future<Credential> ask(SecretsManagerAsyncClient open) {
        Context caller = vertx.getOrCreateContext();
        Promise<Credential> promise = Promise.promise();
        vertx.executeBlocking(() -> open.getSecretValue(request -> request.secretId(name.name())))
                .onFailure(promise::tryFail)
                .onSuccess(call -> call.whenComplete((value, error) -> caller.runOnContext(v -> {
                    if (error != null) {
                        promise.tryFail(error);
                    } else {
                        parse(value.secretString(), promise);
                    }
                })));
        return promise.future();
    }

    private void parse(@Nullable String text, Promise<Credential> promise) {
        try {
            JsonNode secret = JSON.readTree(text == null ? "" : text);
            JsonNode username = secret.path("username");
            JsonNode password = secret.path("password");
            if (username.isTextual() && password.isTextual()) {
                promise.tryComplete(
                        new Credential(username.asText(), password.asText().getBytes(StandardCharsets.UTF_8)));
                return;
            }
        } catch (JsonProcessingException e) {
            // Its message would quote the secret.
        }
        promise.tryFail(Failure.operator(
                        "secret-format",
                        "the secret " + name.name() + " is not a JSON object with the keys username and password")
                .asException());
    }

    private Failure failure(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof AwsServiceException service
                && service.statusCode() < 500
                && !service.isThrottlingException()) {
            String code = service.awsErrorDetails() == null
                    ? "refused"
                    : service.awsErrorDetails().errorCode();
            return Failure.operator("secrets-manager", "the secret " + name.name() + " cannot be read: " + code);
        }
        if (cause instanceof SdkClientException local
                && String.valueOf(local.getMessage()).contains("region")) {
            return Failure.operator(
                    "no-region", "the secret " + name.name() + " has no region, nor has AWS_REGION one");
        }
        return Failure.of(cause);
    }

    @Override
    public Future<Void> close() {
        return client == null
                ? Future.succeededFuture()
                : client.compose(open -> vertx.executeBlocking(() -> {
                            open.close();
                            return true;
                        }))
                        // What could not be made needs no closing.
                        .<Void>mapEmpty()
                        .otherwiseEmpty();
    }
}
