package io.plantline.plugin.target.file;

import com.google.auto.service.AutoService;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.plantline.spi.object.ObjectLayout;
import java.nio.file.Path;
import java.util.Set;

/** {@code "type": "file"}. */
@AutoService(TargetFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class FileTargetFactory implements TargetFactory<FileTargetConfig> {
    @Override
    public String type() {
        return "file";
    }

    @Override
    public String schema() {
        return """
                {"description": "Files in a folder.", "required": ["directory"], "properties": {
                  "directory": {"type": "string", "pattern": "^[^\\u0000]+$", "description": "a folder; made if it is not there"},
                  %s}}""".formatted(ObjectLayout.SCHEMA_PROPERTIES);
    }

    @Override
    public Set<String> identity() {
        return Set.of("directory", "key-prefix", "object-prefix", "partition");
    }

    @Override
    public String defaultFormat() {
        return "json";
    }

    @Override
    public FileTargetConfig configure(Settings settings) {
        return new FileTargetConfig(
                Path.of(settings.string("directory")).toAbsolutePath().normalize(), ObjectLayout.of(settings));
    }

    @Override
    public boolean namesByPlan(FileTargetConfig config) {
        return !config.layout().single();
    }

    @Override
    public Target create(FileTargetConfig config, TargetContext context) {
        return new FileTarget(config, context);
    }
}
