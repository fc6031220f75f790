package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.FaultProxy;
import io.plantline.testkit.Generator;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Brokers and networks that fail. */
class BrokerFaultIT {
    private static final int TOPICS = 10;

    @TempDir
    private Path directory;

    private PlantlineProcess start(int source, int target, int qos, String broker) {
        String document = """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "faults", "reconnect-max": "1s"%s},
                 "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d}},
                 "subscriptions": {"plant/#": {"qos": %d, "target": "other"}}}""".formatted(source, broker, target, qos);
        return PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
    }

    private static void publish(int port, int qos, int perTopic, int from, int perSecond) throws Exception {
        new Generator(port, TOPICS, t -> "plant/line" + t, qos, 250).publish(perTopic * TOPICS, from, 15, perSecond);
    }

    private static void awaitAll(Collector collector, int perTopic) {
        try {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> collector.tally().missing(TOPICS, perTopic).isEmpty());
        } finally {
            System.out.println(
                    collector.tally() + ", missing " + collector.tally().missing(TOPICS, perTopic));
        }
        assertThat(collector.tally().altered()).isZero();
    }

    private static void signal(PlantlineProcess process, String signal) throws Exception {
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aRestartedBrokerKeepsTheSessionAndNothingIsMissing(int qos) throws Exception {
        Mosquitto.assumeInstalled();
        try (Artemis target = Artemis.start();
                Collector collector = new Collector(target.port(), "#", 1);
                Mosquitto source = Mosquitto.start(
                        directory,
                        "persistence true",
                        "persistence_location " + directory + "/",
                        "autosave_interval 1");
                PlantlineProcess plantline = start(source.port(), target.port(), qos, "")) {
            for (int restart = 0; restart < 4; restart++) {
                signal(plantline, "STOP");
                publish(source.port(), qos, 50, restart * 50, 0);
                source.stop();
                source.start();
                signal(plantline, "CONT");
                int sent = 50 * (restart + 1);
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> collector.tally().missing(TOPICS, sent).isEmpty());
            }
            awaitAll(collector, 200);
            plantline.await("session resumed");
            plantline.stop();
            assertThat(plantline.log()).doesNotContain("MQTT-SESSION-LOST");
        }
    }

    @Test
    void aKilledBrokerThatForgotTheSessionIsToldOfAndSubscribedAnew() throws Exception {
        Mosquitto.assumeInstalled();
        try (Artemis target = Artemis.start();
                Collector collector = new Collector(target.port(), "#", 1);
                Mosquitto source = Mosquitto.start(directory);
                PlantlineProcess plantline = start(source.port(), target.port(), 1, "")) {
            publish(source.port(), 1, 20, 0, 0);
            awaitAll(collector, 20);
            source.kill();
            source.start();
            plantline.await("MQTT-SESSION-LOST");
            await().until(() -> plantline.log().split("subscriptions made").length == 3);
            publish(source.port(), 1, 20, 20, 0);
            awaitAll(collector, 40);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void connectionsResetUnderLoadLoseNothing(int qos) throws Exception {
        try (Artemis source = Artemis.start();
                FaultProxy proxy = FaultProxy.to(source.port());
                Artemis target = Artemis.start();
                FaultProxy targetProxy = FaultProxy.to(target.port());
                Collector collector = new Collector(target.port(), "#", 1);
                PlantlineProcess plantline = start(proxy.port(), targetProxy.port(), qos, "")) {
            Thread faults = new Thread(() -> {
                for (int i = 0; i < 8; i++) {
                    java.util.concurrent.locks.LockSupport.parkNanos(700_000_000);
                    (i % 2 == 0 ? proxy : targetProxy).resetAll();
                }
            });
            faults.start();
            publish(source.port(), qos, 600, 0, 1_000);
            faults.join();
            awaitAll(collector, 600);
            assertThat(proxy.connections()).as("the resets fired").isGreaterThan(3);
            assertThat(targetProxy.connections()).isGreaterThan(3);
            plantline.stop();
        }
    }

    @Test
    void aPeerThatVanishesIsFoundAndNothingIsMissing() throws Exception {
        try (Artemis source = Artemis.start();
                FaultProxy proxy = FaultProxy.to(source.port());
                Artemis target = Artemis.start();
                Collector collector = new Collector(target.port(), "#", 1);
                PlantlineProcess plantline = start(proxy.port(), target.port(), 1, ", \"keep-alive\": \"2s\"")) {
            publish(source.port(), 1, 20, 0, 0);
            awaitAll(collector, 20);
            proxy.vanish();
            publish(source.port(), 1, 20, 20, 0);
            long start = System.nanoTime();
            await().atMost(Duration.ofSeconds(10)).until(() -> proxy.connections() > 1);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(5_000));
            awaitAll(collector, 40);
            assertThat(plantline.log()).contains("the broker was silent");
        }
    }

    @Test
    void aSlowLinkIsSlowAndNothingElse() throws Exception {
        try (Artemis source = Artemis.start();
                FaultProxy proxy = FaultProxy.to(source.port())
                        .latency(100)
                        .bandwidth(125_000)
                        .slices(37);
                Artemis target = Artemis.start();
                Collector collector = new Collector(target.port(), "#", 1);
                PlantlineProcess plantline = start(proxy.port(), target.port(), 2, ", \"keep-alive\": \"2s\"")) {
            publish(source.port(), 2, 200, 0, 0);
            awaitAll(collector, 200);
            assertThat(collector.tally().duplicates()).isZero();
            assertThat(proxy.connections()).as("one connection lasts").isEqualTo(1);
            plantline.stop();
        }
    }
}
