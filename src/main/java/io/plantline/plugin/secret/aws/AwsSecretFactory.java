package io.plantline.plugin.secret.aws;

import com.google.auto.service.AutoService;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.Settings;
import io.vertx.core.Vertx;
import java.util.Optional;

/** {@code "type": "aws-secrets-manager"}, or no type: {@code secret-name} and {@code secret-region}. */
@AutoService(SecretProviderFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class AwsSecretFactory implements SecretProviderFactory<AwsSecretFactory.Name> {
    /** Which secret, and where. */
    record Name(String name, Optional<String> region) {}

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
                  "secret-region": {"type": "string", "minLength": 1, "description": "AWS Region. Default: AWS_REGION."}}}""";
    }

    @Override
    public Name configure(Settings settings) {
        return new Name(settings.string("secret-name"), settings.optionalString("secret-region"));
    }

    @Override
    public SecretProvider create(Name name, Vertx vertx) {
        return new AwsSecret(name, vertx);
    }
}
