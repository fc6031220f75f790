package io.plantline.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.observe.Latency;
import io.plantline.observe.OutboxReport;
import io.plantline.observe.TargetLedger;
import io.plantline.observe.Vitals;
import io.plantline.testkit.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProbeServerTest {
    private final Vertx vertx = Vertx.vertx();
    private final int port = Ports.free();
    private final TargetLedger lake = new TargetLedger("lake");

    @BeforeEach
    void start() {
        ProbeServer server = new ProbeServer(
                () -> Future.succeededFuture(new Vitals(null, List.of(target()), Map.of(), 1L << 30, 1)),
                "127.0.0.1",
                port,
                false,
                "test");
        vertx.deployVerticle(server).toCompletionStage().toCompletableFuture().join();
    }

    @AfterEach
    void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private Vitals.Target target() {
        TargetLedger.Snapshot now = lake.snapshot();
        OutboxReport outbox = new OutboxReport("lake", "f00d", now.totals(), now.heldBecause(), 1, 0, 0, 0);
        return new Vitals.Target(outbox, 1L << 30, 0, 0, new Latency().snapshot());
    }

    private HttpResponse<String> get(String probe) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + probe))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }

    @Test
    void aDiskThatRefusesIsNoReasonToRestart() throws Exception {
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        lake.diskFailing(true);
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        assertThat(get("/readyz").body()).contains("target lake: disk\n");
    }

    @Test
    void aWriterThatHasEndedIs() throws Exception {
        lake.diskEnded();
        assertThat(get("/livez").statusCode()).isEqualTo(503);
        assertThat(get("/livez").body()).isEqualTo("target lake: disk-writer-ended\n");
        assertThat(get("/readyz").body()).contains("target lake: disk-writer-ended\n");
    }
}
