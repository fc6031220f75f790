package io.plantline.plugin.secret.aws;

import com.google.auto.service.AutoService;
import io.plantline.spi.Proxy;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.Settings;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Optional;

/** {@code "type": "aws-secrets-manager"}, or no type: {@code secret-name} and {@code secret-region}. */
@AutoService(SecretProviderFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class AwsSecretFactory implements SecretProviderFactory<AwsSecretFactory.Name> {
    private static final Duration REFRESH = Duration.ofMinutes(5);

    /** Which secret, and where. */
    record Name(String name, Optional<String> region, Duration refresh, Optional<String> ca, Optional<Proxy> proxy) {}

    @Override
    public String type() {
        return "aws-secrets-manager";
    }

    @Override
    public boolean takesUntyped() {
        return true;
    }

    @Override
    public String schema() {
        return """
                {"description": "AWS Secrets Manager: a secret with the keys username and password.",
                 "required": ["secret-name"], "properties": {
                  "secret-name": {"type": "string", "minLength": 1, "description": "Name or ARN of the secret."},
                  "secret-region": {"type": "string", "minLength": 1, "description": "AWS Region. Default: AWS_REGION."},
                  "secret-refresh": {"$ref": "#/$defs/duration", "default": "5m", "description": "How soon a new version of the secret is seen; a refused login reads it at once."},
                  "ca": {"type": "string", "minLength": 1, "description": "PEM file of the authorities to trust, behind a proxy that opens TLS. Default: the platform's."},
                  "proxy": {"type": "string", "pattern": "^http://", "description": "http://host:port of a proxy. Default: HTTPS_PROXY and NO_PROXY."}}}""";
    }

    @Override
    public Name configure(Settings settings) {
        return new Name(
                settings.string("secret-name"),
                settings.optionalString("secret-region"),
                settings.duration("secret-refresh", REFRESH),
                settings.file("ca"),
                settings.proxy("proxy"));
    }

    @Override
    public SecretProvider create(Name name, Vertx vertx) {
        return new AwsSecret(name, vertx);
    }
}
