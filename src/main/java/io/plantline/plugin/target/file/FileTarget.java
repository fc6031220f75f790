package io.plantline.plugin.target.file;

import io.plantline.spi.PublishBatch;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.Verdicts;
import io.plantline.spi.object.ObjectWriter;
import io.vertx.core.Future;
import java.util.Objects;

/** Writes the objects of a plan as files. */
final class FileTarget implements Target {
    private final ObjectWriter writer;

    FileTarget(FileTargetConfig config, TargetContext context) {
        this.writer = new ObjectWriter(
                config.layout(),
                Objects.requireNonNull(context.format()),
                (plan, key) -> new FileDraft(context, config.directory().resolve(key)),
                context,
                1,
                FileDraft.MOST_IN_MEMORY);
    }

    @Override
    public Future<Verdicts> publish(PublishBatch batch) {
        return writer.write(batch);
    }
}
