package io.plantline.admin;

import io.plantline.observe.ConfigurationReport;
import io.plantline.observe.Meters;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.Vitals;
import io.plantline.runtime.Reloads;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the probes of Kubernetes and the scrapes of Prometheus, and nothing else: nothing here changes anything.
 *
 * <pre>
 *  GET /livez     the event loops turn, and what writes to the disk has not ended
 *  GET /startupz  everything is open
 *  GET /readyz    the broker has agreed to subscriptions, disks accept (and targets deliver, if that is asked for)
 *  GET /metrics   for Prometheus
 * </pre>
 */
public final class ProbeServer extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(ProbeServer.class);
    private static final long ANSWER_SECONDS = 5;

    private final Supplier<Future<Vitals>> vitals;
    private final String address;
    private final int port;
    private final boolean targetsMatter;
    private final Meters meters;
    private volatile @Nullable Reloads started;

    /**
     * A server that does not listen yet.
     *
     * @param vitals of the program; what does not answer does not live
     * @param targetsMatter whether a target that somebody must act on makes the program not ready
     */
    public ProbeServer(
            Supplier<Future<Vitals>> vitals, String address, int port, boolean targetsMatter, String version) {
        this.vitals = vitals;
        this.address = address;
        this.port = port;
        this.targetsMatter = targetsMatter;
        this.meters = new Meters(version);
    }

    @Override
    public Future<?> start() {
        return vertx.createHttpServer(new HttpServerOptions()
                        .setHost(address)
                        .setPort(port)
                        .setIdleTimeout(60)
                        .setMaxInitialLineLength(1_024))
                .requestHandler(this::handle)
                .listen()
                .onSuccess(listening ->
                        LOG.info("probes and metrics are at http://{}:{}/", address, listening.actualPort()));
    }

    /** Everything is open. */
    public void started(Reloads reloads) {
        started = reloads;
    }

    private void handle(HttpServerRequest request) {
        if (!request.method().equals(HttpMethod.GET)) {
            request.response().setStatusCode(405).end();
            return;
        }
        switch (request.path()) {
            case "/livez" ->
                look().onSuccess(now -> answer(request, reasonsToRestart(now)))
                        .onFailure(e -> answer(request, List.of("an event loop does not answer: " + e.getMessage())));
            case "/startupz" -> answer(request, started == null ? List.of("starting") : List.of());
            case "/readyz" ->
                look().onSuccess(now -> answer(request, reasonsNotToBeReady(now)))
                        .onFailure(e -> answer(request, List.of(String.valueOf(e.getMessage()))));
            case "/metrics" -> metrics(request);
            default -> request.response().setStatusCode(404).end("/livez /startupz /readyz /metrics\n");
        }
    }

    private Future<Vitals> look() {
        return vitals.get().timeout(ANSWER_SECONDS, TimeUnit.SECONDS);
    }

    private static List<String> reasonsToRestart(Vitals now) {
        return now.targets().stream()
                .map(Vitals.Target::outbox)
                .filter(OutboxReport::needsRestart)
                .map(outbox -> "target " + outbox.target() + ": " + outbox.heldBecause())
                .toList();
    }

    private List<String> reasonsNotToBeReady(Vitals now) {
        List<String> reasons = new ArrayList<>();
        Vitals.Session session = now.session();
        if (started == null || session == null) {
            reasons.add("starting");
        } else if (!session.works()) {
            reasons.add("session " + session.state() + ": " + session.detail());
        }
        for (Vitals.Target target : now.targets()) {
            OutboxReport outbox = target.outbox();
            String because = outbox.heldBecause();
            if (because != null && (targetsMatter || because.contains("disk"))) {
                reasons.add("target " + outbox.target() + ": " + because);
            }
        }
        return reasons;
    }

    private static void answer(HttpServerRequest request, List<String> reasons) {
        request.response()
                .putHeader("Content-Type", "text/plain; charset=utf-8")
                .setStatusCode(reasons.isEmpty() ? 200 : 503)
                .end(reasons.isEmpty() ? "ok\n" : String.join("\n", reasons) + "\n");
    }

    private void metrics(HttpServerRequest request) {
        Reloads reloads = started;
        Future<@Nullable ConfigurationReport> running = reloads == null
                ? Future.succeededFuture()
                : reloads.configuration().map(report -> report);
        Future.all(look(), running)
                .onSuccess(both -> context.runOnContext(v -> request.response()
                        .putHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                        .end(meters.scrape(both.resultAt(0), both.resultAt(1)))))
                .onFailure(e -> answer(request, List.of(String.valueOf(e.getMessage()))));
    }

    @Override
    public Future<?> stop() {
        meters.close();
        return Future.succeededFuture();
    }
}
