package com.example.shout;

import io.plantline.spi.PublishBatch;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/** A whole target of somebody else's: it prints each payload in capital letters. */
public final class ShoutTargetFactory implements TargetFactory<String> {
    @Override
    public String type() {
        return "shout";
    }

    @Override
    public String schema() {
        return "{\"properties\": {\"suffix\": {\"type\": \"string\"}}}";
    }

    @Override
    public Set<String> identity() {
        return Set.of("suffix");
    }

    @Override
    public String configure(Settings settings) {
        return settings.string("suffix", "");
    }

    @Override
    public Target create(String suffix, TargetContext context) {
        return new Target() {
            @Override
            public Future<Verdicts> publish(PublishBatch batch) {
                return batch.forEach((ordinal, message) -> System.out.println(
                                new String(message.payload(), StandardCharsets.UTF_8).toUpperCase(Locale.ROOT) + suffix))
                        .map(Verdicts.allDelivered());
            }
        };
    }
}
