package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.command.CrashingPlantline;
import io.plantline.pipeline.outbox.log.CrashingDisk;
import io.plantline.testkit.BrokerWatch;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.HttpFaultProxy;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.MqttFaultProxy;
import io.plantline.testkit.Packet;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The process ends at each point of a message's way, under load: between the steps on disk, and when a certain packet or
 * request is about to pass. Nothing is missing in S3 afterwards, and nothing is there twice.
 */
class CrashPointIT {
    private static final int TOPICS = 20;
    private static final int RATE = Integer.getInteger("crash.rate", 500);
    private static final int ROUNDS = Integer.getInteger("crash.rounds", 1);

    @TempDir
    private Path directory;

    private final BrokerWatch watch = BrokerWatch.start();
    private MqttFaultProxy mqtt;
    private HttpFaultProxy http;
    private Path config;

    /** Points that a packet or a request marks. */
    private enum Wire {
        RECEIVED(true, Packet.PUBLISH),
        BEFORE_PUBREC(false, Packet.PUBREC),
        PUBREL_RECEIVED(true, Packet.PUBREL),
        BEFORE_PUBCOMP(false, Packet.PUBCOMP),
        BEFORE_PUT(false, 0),
        AFTER_PUT_BEFORE_COMMIT(true, 0);

        private final boolean toClient;
        private final int packet;

        Wire(boolean toClient, int packet) {
            this.toClient = toClient;
            this.packet = packet;
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void nothingIsMissingOrTwiceWhereverTheProcessEnds() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                MqttFaultProxy broker = MqttFaultProxy.to(source.port());
                S3Server s3 = S3Server.start();
                HttpFaultProxy lake = HttpFaultProxy.to(s3.uri().getPort())) {
            mqtt = broker;
            mqtt.tap(watch);
            http = lake;
            s3.createBucket("lake");
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash"},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                                 "event-type": "batch", "batch": {"max-age": "100ms"}, "retry-max": "1s"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "lake"}}}""".formatted(mqtt.port(), directory.resolve("data"), http.url());
            config = Files.writeString(directory.resolve("crash.json"), document);
            start().stop();
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            List<String> passed = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
                for (CrashingDisk.Point point : CrashingDisk.Point.values()) {
                    crashOnDisk(point);
                    passed.add(point.name());
                }
                for (Wire point : Wire.values()) {
                    crashOnTheWire(point);
                    passed.add(point.name());
                }
                crashWhileStopping();
            }
            PlantlineProcess last = start();
            int perTopic = load.stop();
            await().atMost(Duration.ofMinutes(2)).until(() -> last.log().contains("subscribed"));
            DistinctRows rows = DistinctRows.in(() -> s3.copy("lake", "", directory));
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> rows.count() >= (long) perTopic * TOPICS);
            assertThat(last.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(s3.copy("lake", "", directory), TOPICS, perTopic);
            System.out.println(
                    passed.size() / ROUNDS + " crash points, " + ROUNDS + " times each, and stops cut short: "
                            + found.text() + "; sent anew by the broker: " + watch.sentAnew());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates())
                    .as("what the broker itself sent as new")
                    .isLessThanOrEqualTo(watch.sentAnew());
            assertThat(found.altered()).isZero();
            assertThat(last.log()).contains("ledger lake: accepted " + found.total() + " = delivered " + found.total());
        }
    }

    private PlantlineProcess.Builder builder() {
        return PlantlineProcess.in(directory)
                .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
    }

    private PlantlineProcess start() {
        return builder().arguments("run", "--config", config.toString()).start().awaitSubscribed();
    }

    private void crashOnDisk(CrashingDisk.Point point) {
        int passes =
                point.name().contains("NAME") ? 0 : ThreadLocalRandom.current().nextInt(1, 60);
        PlantlineProcess process = builder()
                .main(CrashingPlantline.class)
                .arguments(config.toString(), point.name(), Integer.toString(passes), ".*/targets/.*", "/")
                .start();
        assertThat(process.exitCode())
                .as("%s was reached:%n%s", point, process.log())
                .isEqualTo(137);
    }

    private void crashOnTheWire(Wire point) throws Exception {
        PlantlineProcess process = start();
        AtomicInteger left = new AtomicInteger(ThreadLocalRandom.current().nextInt(1, 100));
        CompletableFuture<Integer> killed = new CompletableFuture<>();
        if (point.packet > 0) {
            mqtt.tap(watch.and((toClient, packet) -> toClient != point.toClient
                    || packet.type() != point.packet
                    || left.getAndDecrement() != 0
                    || !killed.complete(process.kill())));
        } else {
            left.set(ThreadLocalRandom.current().nextInt(1, 5));
            http.tap((answered, method) -> answered != point.toClient
                    || !method.equals("PUT")
                    || left.getAndDecrement() != 0
                    || !killed.complete(process.kill()));
        }
        assertThat(killed.get(30, TimeUnit.SECONDS)).as("%s was reached", point).isEqualTo(137);
        mqtt.tap(watch);
        http.tap((answered, method) -> true);
    }

    private void crashWhileStopping() {
        PlantlineProcess process = start();
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L));
        process.terminate();
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(300_000_000L));
        process.kill();
    }
}
