package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.ConfigMapMount;
import io.plantline.testkit.Generator;
import io.plantline.testkit.KafkaCluster;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Tally;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * While Plantline is away, its Kafka cluster becomes another one under the same address: it writes nothing there, until the document
 * names the new cluster, and then everything.
 */
class KafkaClusterChangeIT {
    private static final int TOPICS = 10;
    private static final int EACH = 20;

    @TempDir
    private Path directory;

    @Test
    void nothingIsWrittenToAnotherClusterUntilItIsNamed() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory);
                KafkaCluster kafka = KafkaCluster.start(directory.resolve("kafka"))) {
            kafka.createTopic("plant", 3, Map.of());
            ConfigMapMount mount = ConfigMapMount.in(directory.resolve("config"), document(source, kafka, ""));
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .arguments("run", "--config", mount.file().toString());
            PlantlineProcess plantline = program.start().awaitSubscribed();
            Generator generator = new Generator(source.port(), TOPICS, topic -> "plant/" + topic, 2, 100);
            generator.publish(TOPICS * EACH, 0, 20);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> kafka.read("plant").size() == TOPICS * EACH);
            plantline.stop();

            String before = kafka.clusterId();
            kafka.replace();
            kafka.createTopic("plant", 3, Map.of());
            plantline = program.start().awaitSubscribed();
            generator.publish(TOPICS * EACH, EACH, 20);
            plantline.await(
                    "TARGET-HELD: kafka waits for somebody to act: OPERATOR other-cluster: bootstrap-servers lead to"
                            + " cluster " + kafka.clusterId() + ", and this target wrote to " + before);
            assertThat(kafka.read("plant")).isEmpty();

            mount.swap(document(source, kafka, "\"cluster-ids\": [\"" + kafka.clusterId() + "\"], "));
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> kafka.read("plant").size() >= TOPICS * EACH);
            plantline.stop();
            Tally tally = new Tally();
            kafka.read("plant").forEach(record -> tally.add(record.value()));
            assertThat(tally.total()).isEqualTo(TOPICS * EACH);
            assertThat(tally.duplicates()).isZero();
            assertThat(tally.inversions()).isZero();
            assertThat(plantline.log())
                    .contains("KAFKA-CLUSTER: kafka: writes to cluster " + kafka.clusterId())
                    .contains("ledger kafka: accepted 400 = delivered 400 + filtered 0 + dead-lettered 0 + waiting 0");
        }
    }

    private String document(Mosquitto source, KafkaCluster kafka, String clusters) {
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "moves"}, "data-directory": "%s",
                 "targets": {"kafka": {"type": "kafka", "bootstrap-servers": [%s], %s"topic": "plant", "retry-max": "1s"}},
                 "subscriptions": {"plant/#": {"qos": 2, "target": "kafka"}}}""".formatted(source.port(), directory.resolve("data"), kafka.bootstrapJson(), clusters);
    }
}
