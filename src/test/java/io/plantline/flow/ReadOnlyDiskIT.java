package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.Mount;
import io.plantline.testkit.MqttFaultProxy;
import io.plantline.testkit.Packet;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kernel makes the disk read-only under load, as it does when it finds damage or a volume is detached. */
class ReadOnlyDiskIT {
    private static final int TOPICS = 20;

    @TempDir
    private Path directory;

    private final int port = Ports.free();
    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void aDiskThatBecomesReadOnlyIsToldOfAndCostsNothing() throws Exception {
        Mosquitto.assumeInstalled();
        Path image = Mount.format(directory.resolve("disk"), "128M");
        AtomicLong acknowledged = new AtomicLong();
        try (Mount disk = Mount.image(image, directory.resolve("mount"));
                Mosquitto broker = Mosquitto.start(directory, "max_inflight_messages 1000");
                MqttFaultProxy proxy = MqttFaultProxy.to(broker.port());
                S3Server s3 = S3Server.start()) {
            s3.createBucket("lake");
            proxy.tap((toClient, packet) -> {
                if (!toClient && packet.type() == Packet.PUBREC) {
                    acknowledged.incrementAndGet();
                }
                return true;
            });
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .config("""
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "read-only"},
                     "data-directory": "%s", "data-min-free": 1,
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                                 "event-type": "batch", "batch": {"max-age": "500ms"}, "format": "parquet"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "lake"}}}""".formatted(proxy.port(), disk.place().resolve("data"), s3.uri()))
                    .environment("EDGE_HTTP", "127.0.0.1:" + port)
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            Load load = Load.start(broker.port(), TOPICS, 2, 200, 500);
            DistinctRows rows = DistinctRows.in(() -> s3.copy("lake", "", directory));
            await().atMost(Duration.ofMinutes(1)).until(() -> rows.count() > 500);

            disk.damage();
            plantline.await("OUTBOX-DISK");
            await().until(() -> get("/readyz").statusCode() == 503);
            assertThat(get("/readyz").body()).contains("lake");
            assertThat(get("/livez").statusCode()).isEqualTo(200);
            long before = acknowledged.get();
            LockSupport.parkNanos(Duration.ofSeconds(3).toNanos());
            assertThat(acknowledged.get()).as("messages that are nowhere").isEqualTo(before);
            assertThat(plantline.stop()).as("ends when it is told to").isIn(0, 143);

            disk.repair();
            PlantlineProcess again = program.start().awaitSubscribed();
            int perTopic = load.stop();
            await().atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> assertThat(rows.count())
                            .as(() -> "rows\n" + plantline.log() + "\nstarted again\n" + again.log() + metrics())
                            .isGreaterThanOrEqualTo((long) perTopic * TOPICS));
            assertThat(again.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(s3.copy("lake", "", directory), TOPICS, perTopic);
            System.out.println("a disk that became read-only: " + found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates()).isZero();
            assertThat(again.log())
                    .contains("ledger lake: accepted " + found.total() + " = delivered " + found.total()
                            + " + filtered 0 + dead-lettered 0 + waiting 0");
        }
    }

    private String metrics() {
        try {
            return get("/metrics").body();
        } catch (Exception e) {
            return e.toString();
        }
    }

    private HttpResponse<String> get(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(10))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }
}
