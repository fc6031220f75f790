package io.plantline.pipeline.outbox;

import io.plantline.pipeline.Addresses;
import io.plantline.pipeline.Lender;
import io.plantline.pipeline.Patience;
import io.vertx.core.Future;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What an outbox needs to have other nodes work for it. */
final class Elsewhere {
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final Patience patience;
    private final Lender lender;
    private final EventBus bus;
    private final List<MessageConsumer<String>> openings = new ArrayList<>();

    Elsewhere(ContextInternal context) {
        this.patience = new Patience(context, SILENCE);
        this.bus = context.owner().eventBus();
        this.lender = new Lender(bus);
    }

    Patience patience() {
        return patience;
    }

    Lender lender() {
        return lender;
    }

    /**
     * Looks for answers and lends from now on.
     *
     * @param addresses of those that it asks
     * @param opened runs when somebody is there anew: what failed because nobody was need not wait any longer
     */
    Future<Void> start(Stream<String> addresses, Runnable opened) {
        addresses.forEach(address ->
                openings.add(bus.<String>consumer(Addresses.opened(address)).handler(news -> opened.run())));
        return patience.start().compose(v -> lender.start());
    }

    Future<Void> stop() {
        return patience.stop()
                .eventually(lender::stop)
                .eventually(() -> Future.join(
                        openings.stream().map(MessageConsumer::unregister).toList()));
    }
}
