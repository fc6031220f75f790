package io.plantline.pipeline.outbox;

import io.plantline.pipeline.Lender;
import io.plantline.pipeline.Patience;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;

/** What an outbox needs to have other nodes work for it. */
final class Elsewhere {
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final Patience patience;
    private final Lender lender;

    Elsewhere(ContextInternal context) {
        this.patience = new Patience(context, SILENCE);
        this.lender = new Lender(context.owner().eventBus());
    }

    Patience patience() {
        return patience;
    }

    Lender lender() {
        return lender;
    }

    Future<Void> start() {
        return patience.start().compose(v -> lender.start());
    }

    Future<Void> stop() {
        return patience.stop().eventually(lender::stop);
    }
}
