package io.plantline.plugin.secret.file;

import com.google.auto.service.AutoService;
import io.plantline.spi.SecretProvider;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.Settings;
import io.vertx.core.Vertx;
import java.nio.file.Path;

/** {@code "type": "file"}: a folder with the files {@code username} and {@code password}. */
@AutoService(SecretProviderFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class FileSecretFactory implements SecretProviderFactory<Path> {
    @Override
    public String type() {
        return "file";
    }

    @Override
    public String schema() {
        return """
                {"description": "Mounted files.", "required": ["type", "directory"], "properties": {
                  "directory": {"type": "string", "pattern": "^[^\\u0000]+$",
                    "description": "a folder with the files username and password, as Kubernetes mounts a basic-auth secret."}}}""";
    }

    @Override
    public Path configure(Settings settings) {
        return Path.of(settings.string("directory"));
    }

    @Override
    public SecretProvider create(Path directory, Vertx vertx) {
        return new FileSecret(directory, vertx);
    }
}
