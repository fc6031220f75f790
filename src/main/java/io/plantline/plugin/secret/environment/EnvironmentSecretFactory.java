package io.plantline.plugin.secret.environment;

import com.google.auto.service.AutoService;
import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.Settings;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;

/** {@code "type": "environment"}: the names of two environment variables. */
@AutoService(SecretProviderFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class EnvironmentSecretFactory implements SecretProviderFactory<EnvironmentSecretFactory.Names> {
    /** Names of the variables, never their values. */
    record Names(String username, String password) {}

    @Override
    public String type() {
        return "environment";
    }

    @Override
    public String schema() {
        return """
                {"description": "Environment variables.",
                 "required": ["type", "username-variable", "password-variable"], "properties": {
                  "username-variable": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "description": "the name of an environment variable"},
                  "password-variable": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "description": "the name of an environment variable"}}}""";
    }

    @Override
    public Names configure(Settings settings) {
        return new Names(settings.string("username-variable"), settings.string("password-variable"));
    }

    @Override
    public SecretProvider create(Names names, Vertx vertx) {
        return () -> {
            String username = System.getenv(names.username());
            String password = System.getenv(names.password());
            return username == null || password == null
                    ? Future.failedFuture(Failure.operator(
                                    "no-credential",
                                    "the environment lacks " + (username == null ? names.username() : names.password()))
                            .asException())
                    : Future.succeededFuture(new Credential(username, password.getBytes(StandardCharsets.UTF_8)));
        };
    }
}
