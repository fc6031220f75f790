package io.plantline.plugin.target.s3;

import com.google.auto.service.AutoService;
import io.plantline.spi.Endpoint;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.plantline.spi.object.ObjectLayout;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** {@code "type": "s3"}. */
@AutoService(TargetFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class S3TargetFactory implements TargetFactory<S3TargetConfig> {
    @Override
    public String type() {
        return "s3";
    }

    @Override
    public String schema() {
        return """
                {"description": "Objects in Amazon S3, or in a store that speaks its protocol.",
                 "required": ["s3-bucket"], "properties": {
                  "s3-bucket": {"type": "string", "minLength": 3, "maxLength": 63, "description": "Name of the bucket."},
                  "region": {"type": "string", "minLength": 1, "description": "AWS Region. Default: AWS_REGION."},
                  "endpoint": {"type": "string", "description": "URL of a store that is not AWS. Default: AWS_ENDPOINT_URL_S3."},
                  "path-style": {"type": "boolean", "description": "Bucket in the path. Default: true with an endpoint."},
                  "checksums": {"enum": ["always", "when-required"], "description": "Those of the AWS SDK, which older stores refuse; when-required: Content-MD5. Default: when-required with an endpoint, else always."},
                  "conditional-writes": {"type": "boolean", "default": true, "description": "Off for stores without If-None-Match: then a retry may overwrite."},
                  "ca": {"type": "string", "minLength": 1, "description": "PEM file of the authorities to trust, for a store in the plant. Default: the platform's."},
                  "proxy": {"type": "string", "pattern": "^http://", "description": "http://host:port of a proxy. Default: HTTPS_PROXY and NO_PROXY."},
                  "multipart-from": {"$ref": "#/$defs/size", "default": "16MiB", "description": "A larger object is sent in parts of this size, so that it need not fit into memory. 5MiB to 1GiB."},
                  "timeout": {"$ref": "#/$defs/duration", "default": "60s"},
                  "max-concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 16, "description": "Requests at once."},
                  %s}}""".formatted(ObjectLayout.SCHEMA_PROPERTIES);
    }

    @Override
    public Set<String> identity() {
        return Set.of("s3-bucket", "region", "endpoint", "key-prefix", "object-prefix", "partition");
    }

    @Override
    public String defaultFormat() {
        return "parquet";
    }

    @Override
    public boolean namesByPlan(S3TargetConfig config) {
        return !config.layout().single();
    }

    @Override
    public int defaultLanes() {
        return 2;
    }

    @Override
    public S3TargetConfig configure(Settings settings) {
        ObjectLayout layout = ObjectLayout.of(settings);
        if (layout.single()) {
            settings.warn(
                    "event-type",
                    "single writes an object per message: at 100 messages a second that is 8,640,000 PUT requests a day",
                    "set \"event-type\": \"batch\" where single objects are not needed");
        }
        Optional<URI> endpoint = settings.optionalUri("endpoint");
        long multipartFrom = settings.size("multipart-from", 16 << 20);
        if (multipartFrom < 5 << 20 || multipartFrom > 1 << 30) {
            settings.error("multipart-from", multipartFrom + " bytes is no size of a part in S3", "5MiB to 1GiB");
        }
        boolean elsewhere = endpoint.isPresent() || endpointOfEnvironment().isPresent();
        return new S3TargetConfig(
                settings.string("s3-bucket"),
                settings.optionalString("region"),
                endpoint,
                settings.flag("path-style", elsewhere),
                settings.string("checksums", elsewhere ? "when-required" : "always")
                        .equals("always"),
                settings.flag("conditional-writes", true),
                settings.file("ca"),
                settings.proxy("proxy"),
                (int) multipartFrom,
                settings.duration("timeout", Duration.ofSeconds(60)),
                settings.integer("max-concurrency", 16),
                layout);
    }

    /** What the SDK would ask where the section names no endpoint, in its order. */
    private static Optional<String> endpointOfEnvironment() {
        return Stream.of(
                        System.getProperty("aws.endpointUrlS3"),
                        System.getenv("AWS_ENDPOINT_URL_S3"),
                        System.getProperty("aws.endpointUrl"),
                        System.getenv("AWS_ENDPOINT_URL"))
                .filter(Objects::nonNull)
                .findFirst();
    }

    @Override
    public List<Endpoint> endpoints(S3TargetConfig config) {
        return config.endpoint()
                .or(() -> endpointOfEnvironment().flatMap(S3TargetFactory::uri))
                .map(uri -> List.of(Endpoint.of(uri)))
                .orElse(List.of());
    }

    /** What is none fails in the SDK, which names the variable. */
    private static Optional<URI> uri(String text) {
        try {
            return Optional.of(URI.create(text)).filter(uri -> uri.getHost() != null);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public Target create(S3TargetConfig config, TargetContext context) {
        return new S3Target(config, context);
    }
}
