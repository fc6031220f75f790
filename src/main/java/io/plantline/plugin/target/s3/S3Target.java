package io.plantline.plugin.target.s3;

import io.plantline.model.Failure;
import io.plantline.model.Plan;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TlsSettings;
import io.plantline.spi.Verdicts;
import io.plantline.spi.object.ObjectLayout.EncodedObject;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.http.nio.netty.SdkEventLoopGroup;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * Puts each object of a plan, never over another one. Where an object with the name is there already, its metadata tells
 * whether an earlier attempt at this plan wrote it: then it is delivered.
 */
final class S3Target implements Target {
    private static final String PLAN = "plantline-plan";

    private final S3TargetConfig config;
    private final TargetContext context;
    private final PayloadFormat format;
    private @Nullable S3AsyncClient client;

    S3Target(S3TargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.format = Objects.requireNonNull(context.format());
    }

    /** Makes the client and fetches credentials off the event loop: a first look-up may ask files and services. */
    @Override
    public Future<Void> open() {
        return context.blocking(() -> {
                    try (DefaultCredentialsProvider credentials =
                            DefaultCredentialsProvider.builder().build()) {
                        credentials.resolveCredentials();
                    }
                    return makeClient();
                })
                .onSuccess(made -> client = made)
                .recover(e -> Future.failedFuture(S3Failures.of(e).asException()))
                .mapEmpty();
    }

    private S3AsyncClient makeClient() {
        S3AsyncClientBuilder builder = S3AsyncClient.builder()
                .credentialsProvider(DefaultCredentialsProvider.builder()
                        .asyncCredentialUpdateEnabled(true)
                        .build())
                .forcePathStyle(config.pathStyle())
                .requestChecksumCalculation(
                        config.checksumsAlways()
                                ? RequestChecksumCalculation.WHEN_SUPPORTED
                                : RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(
                        config.checksumsAlways()
                                ? ResponseChecksumValidation.WHEN_SUPPORTED
                                : ResponseChecksumValidation.WHEN_REQUIRED)
                .overrideConfiguration(override -> override.apiCallTimeout(config.timeout())
                        .apiCallAttemptTimeout(config.timeout())
                        .retryStrategy(AwsRetryStrategy.doNotRetry()))
                .asyncConfiguration(async ->
                        async.advancedOption(SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run))
                .httpClientBuilder(httpClient());
        config.region().ifPresent(region -> builder.region(Region.of(region)));
        config.endpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private NettyNioAsyncHttpClient.Builder httpClient() {
        NettyNioAsyncHttpClient.Builder http = NettyNioAsyncHttpClient.builder()
                .maxConcurrency(config.maxConcurrency())
                .connectionTimeout(Duration.ofSeconds(10))
                .connectionAcquisitionTimeout(config.timeout())
                .readTimeout(config.timeout())
                .writeTimeout(config.timeout())
                .eventLoopGroupBuilder(SdkEventLoopGroup.builder().numberOfThreads(1));
        config.ca().ifPresent(file -> http.tlsTrustManagersProvider(() -> TlsSettings.trustManagers(file)));
        config.proxy()
                .ifPresent(proxy -> http.proxyConfiguration(ProxyConfiguration.builder()
                        .scheme("http")
                        .host(proxy.host())
                        .port(proxy.port())
                        .build()));
        return http;
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        return config.layout().encode(batch, format, context::blocking).compose(objects -> {
            Verdicts.Collector verdicts = new Verdicts.Collector();
            Iterator<EncodedObject> rest = objects.iterator();
            List<Future<Void>> streams = new ArrayList<>();
            for (int i = 0; i < config.maxConcurrency(); i++) {
                streams.add(putAll(batch.plan(), rest, verdicts));
            }
            return Future.all(streams).map(v -> verdicts.verdicts());
        });
    }

    /** Puts one object after another; as many of these run as requests are allowed at once. */
    private Future<Void> putAll(Plan plan, Iterator<EncodedObject> rest, Verdicts.Collector verdicts) {
        if (!rest.hasNext()) {
            return Future.succeededFuture();
        }
        EncodedObject object = rest.next();
        return put(plan, object)
                .recover(e -> {
                    Failure failure = S3Failures.of(e);
                    for (int ordinal : object.ordinals()) {
                        verdicts.refuse(ordinal, failure);
                    }
                    return Future.succeededFuture();
                })
                .compose(v -> putAll(plan, rest, verdicts));
    }

    private Future<Void> put(Plan plan, EncodedObject object) {
        PutObjectRequest.Builder request = PutObjectRequest.builder()
                .bucket(config.bucket())
                .key(object.key())
                .contentType(format.contentType())
                .metadata(Map.of(PLAN, plan.id()));
        if (config.conditionalWrites()) {
            request.ifNoneMatch("*");
        }
        return onContext(client().putObject(request.build(), AsyncRequestBody.fromBytesUnsafe(object.bytes())))
                .<Void>mapEmpty()
                .recover(e -> S3Failures.isAlreadyThere(e) ? whoseIsIt(plan, object) : Future.failedFuture(e));
    }

    /** The name is taken: by an earlier attempt at this plan, or else somebody must look. */
    private Future<Void> whoseIsIt(Plan plan, EncodedObject object) {
        return onContext(
                        client().headObject(head -> head.bucket(config.bucket()).key(object.key())))
                .transform(head -> {
                    if (head.failed()) {
                        // Not allowed to look. The name carries 96 random bits of this outbox, so it is ours.
                        if (S3Failures.isForbidden(head.cause())) {
                            return Future.succeededFuture();
                        }
                        return Future.failedFuture(
                                S3Failures.isMissing(head.cause())
                                        ? Failure.retry("object-vanished", object.key())
                                                .asException()
                                        : head.cause());
                    }
                    return check(plan, object, head.result());
                });
    }

    private static Future<Void> check(Plan plan, EncodedObject object, HeadObjectResponse head) {
        String writer = head.metadata().get(PLAN);
        return plan.id().equals(writer)
                ? Future.succeededFuture()
                : Future.failedFuture(Failure.operator(
                                "key-conflict",
                                object.key() + " is there already, written by "
                                        + (writer == null ? "somebody else" : "plan " + writer))
                        .asException());
    }

    private S3AsyncClient client() {
        return Objects.requireNonNull(client, "not open");
    }

    /** The SDK completes on a thread of its own; the pipeline goes on where it was. */
    private <T> Future<T> onContext(CompletableFuture<T> call) {
        Context caller = context.vertx().getOrCreateContext();
        Promise<T> promise = Promise.promise();
        call.whenComplete((result, error) -> caller.runOnContext(v -> {
            if (error == null) {
                promise.complete(result);
            } else {
                promise.fail(error);
            }
        }));
        return promise.future();
    }

    @Override
    public Future<Void> close() {
        S3AsyncClient open = client;
        if (open == null) {
            return Future.succeededFuture();
        }
        client = null;
        return context.blocking(() -> {
                    open.close();
                    return true;
                })
                .mapEmpty();
    }
}
