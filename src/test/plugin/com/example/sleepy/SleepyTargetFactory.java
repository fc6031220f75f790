package com.example.sleepy;

import io.plantline.spi.PublishBatch;
import io.plantline.spi.Settings;
import io.plantline.spi.Target;
import io.plantline.spi.TargetContext;
import io.plantline.spi.TargetFactory;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.util.Set;

/** A target of somebody else's that sleeps for three seconds: on a worker, as it may, or on the event loop, as it must not. */
public final class SleepyTargetFactory implements TargetFactory<Boolean> {
    private static final long SLEEP_MILLIS = 3_500;

    @Override
    public String type() {
        return "sleepy";
    }

    @Override
    public String schema() {
        return "{\"properties\": {\"on-event-loop\": {\"type\": \"boolean\"}}}";
    }

    @Override
    public Set<String> identity() {
        return Set.of();
    }

    @Override
    public Boolean configure(Settings settings) {
        return settings.flag("on-event-loop", false);
    }

    @Override
    public Target create(Boolean onEventLoop, TargetContext context) {
        return new Target() {
            @Override
            public Future<Verdicts> publish(PublishBatch batch) {
                Future<Void> slept = onEventLoop ? Future.succeededFuture(sleep()) : context.blocking(() -> sleep());
                return slept.map(Verdicts.allDelivered());
            }
        };
    }

    private static Void sleep() {
        try {
            // The fault itself, not a wait for anything.
            Thread.sleep(SLEEP_MILLIS);
            System.out.println("slept well");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }
}
