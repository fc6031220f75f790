package io.plantline.plugin.target.s3;

import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TlsSettings;
import io.plantline.spi.Verdicts;
import io.plantline.spi.object.ObjectWriter;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.http.nio.netty.SdkEventLoopGroup;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;

/** Writes the objects of a plan into a bucket. */
final class S3Target implements Target {
    private final S3TargetConfig config;
    private final TargetContext context;
    private final PayloadFormat format;
    private @Nullable S3AsyncClient client;
    private volatile @Nullable DefaultCredentialsProvider credentials;

    S3Target(S3TargetConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.format = Objects.requireNonNull(context.format());
    }

    /** Makes the client and fetches credentials off the event loop: a first look-up may ask files and services. */
    @Override
    public Future<Void> open() {
        return context.blocking(() -> {
                    DefaultCredentialsProvider own = DefaultCredentialsProvider.builder()
                            .asyncCredentialUpdateEnabled(true)
                            .build();
                    try {
                        own.resolveCredentials();
                        S3AsyncClient made = makeClient(own);
                        credentials = own;
                        return made;
                    } catch (RuntimeException e) {
                        own.close();
                        throw e;
                    }
                })
                .recover(e -> Future.failedFuture(S3Failures.of(e).asException()))
                .map(made -> {
                    client = made;
                    return null;
                });
    }

    private S3AsyncClient makeClient(DefaultCredentialsProvider warm) {
        S3AsyncClientBuilder builder = S3AsyncClient.builder()
                .credentialsProvider(warm)
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
        Bucket bucket = new Bucket(config, context, Objects.requireNonNull(client, "not open"), format.contentType());
        return new ObjectWriter(
                        config.layout(),
                        format,
                        (plan, key) -> new S3Draft(bucket, plan, key),
                        context,
                        config.maxConcurrency(),
                        S3Draft.PARTS * (long) config.multipartFrom())
                .write(batch);
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
                    DefaultCredentialsProvider own = credentials;
                    if (own != null) {
                        own.close();
                    }
                    return true;
                })
                .mapEmpty();
    }
}
