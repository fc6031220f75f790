package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.ConfigMapMount;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several sessions with one broker: more and fewer of them, while it runs and between two starts. */
class ConnectionsIT {
    private static final int TOPICS = 20;
    private static final int RATE = 500;

    @TempDir
    private Path directory;

    private final DistinctRows rows = DistinctRows.in(this::lake);
    private Mosquitto broker;

    /**
     * A filter for each topic, so that there is something to divide; the first is spread over all connections. The window is
     * small, so that the broker has buffered messages of filters that it has already let go.
     */
    private String document(int connections) {
        String filters = IntStream.range(0, TOPICS)
                .mapToObj(topic -> "\"plant/line%d\": {\"qos\": 2, \"target\": \"lake\", \"spread\": %s}"
                        .formatted(topic, topic == 0))
                .collect(Collectors.joining(", "));
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "many", "connections": %d, "receive-maximum": 20},
                 "targets": {"lake": {"type": "file", "directory": "%s", "event-type": "batch", "format": "parquet"}},
                 "subscriptions": {%s}}""".formatted(broker.port(), connections, lake(), filters);
    }

    private Path lake() {
        return directory.resolve("lake");
    }

    private PlantlineProcess start(ConfigMapMount mount) {
        return PlantlineProcess.in(directory)
                .environment("EDGE_DATA_DIR", directory.resolve("data").toString())
                .arguments("run", "--config", mount.file().toString())
                .start()
                .awaitSubscribed();
    }

    private void awaitRows(long more) {
        long before = rows.count();
        await().atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> rows.count() >= before + more);
    }

    private void change(PlantlineProcess plantline, ConfigMapMount mount, int connections) {
        int applied = plantline.log().split("RELOAD-APPLIED", -1).length;
        mount.swap(document(connections));
        await().atMost(Duration.ofSeconds(30))
                .until(() -> plantline.log().split("RELOAD-APPLIED", -1).length > applied);
    }

    /** Who has ended its session for good, as the broker's own log says. */
    private Set<String> connected() throws IOException {
        String log = Files.readString(directory.resolve("mosquitto").resolve("mosquitto-" + broker.port() + ".log"));
        return Pattern.compile("as (many[.0-9]*) \\(")
                .matcher(log)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }

    @Test
    @Timeout(180)
    void nothingIsMissingWhateverTheirNumber() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000")) {
            broker = source;
            ConfigMapMount mount = ConfigMapMount.in(directory.resolve("config"), document(3));
            PlantlineProcess plantline = start(mount);
            await().atMost(Duration.ofSeconds(30)).until(() -> plantline.log().split("subscribed at ", -1).length == 4);
            assertThat(connected()).containsExactlyInAnyOrder("many", "many.1", "many.2");
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            await().atMost(Duration.ofSeconds(30)).until(() -> rows.count() > 500);

            change(plantline, mount, 1);
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> plantline.log().split("MQTT-CONNECTION-RETIRED", -1).length == 3);
            // While the sessions of the second and third are still being emptied.
            change(plantline, mount, 4);
            awaitRows(500);
            assertThat(connected()).hasSize(4);

            // Fewer with the next start: what the broker has for the others is fetched first.
            assertThat(plantline.log()).doesNotContain("MQTT-SESSION-LOST");
            assertThat(plantline.kill()).isEqualTo(137);
            mount.swap(document(2));
            PlantlineProcess next = start(mount);
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> next.log().split("MQTT-CONNECTION-RETIRED", -1).length == 3);
            awaitRows(500);
            int perTopic = load.stop();
            await().atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() ->
                            assertThat(rows.count()).as(next.log()).isGreaterThanOrEqualTo((long) perTopic * TOPICS));
            assertThat(next.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(lake(), TOPICS, perTopic);
            System.out.println("connections 3, 1, 4, killed, 2: " + found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.altered()).isZero();
            assertThat(next.log()).contains("ledger lake: accepted " + found.total() + " = delivered " + found.total());
        }
    }
}
