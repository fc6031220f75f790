package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.CommittedRecords;
import io.plantline.testkit.KafkaCluster;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Tally;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * kill -9 of Plantline and of the leader under load, into Kafka with transactions: consumers that read committed records see
 * every message that Plantline accepted, and see it once.
 */
class KafkaCrashIT {
    private static final int TOPICS = 20;
    private static final int KILLS = Integer.getInteger("kafka.kills", 3);
    private static final int LEADER_KILLS = Integer.getInteger("kafka.leader-kills", 1);
    private static final int RATE = 1_000;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 40, unit = TimeUnit.MINUTES)
    void committedReadersSeeEachMessageOnce() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000");
                KafkaCluster kafka = KafkaCluster.start(directory.resolve("kafka"), 3)) {
            kafka.createTopic("plant", 3, Map.of());
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash"},
                     "data-directory": "%s",
                     "targets": {"kafka": {"type": "kafka", "bootstrap-servers": [%s], "topic": "plant", "transactions": true, "timeout": "10s"}},
                     "subscriptions": {"plant/#": {"qos": 2, "target": "kafka"}}}""".formatted(source.port(), directory.resolve("data"), kafka.bootstrapJson());
            PlantlineProcess.Builder program = PlantlineProcess.in(directory).config(document);
            PlantlineProcess plantline = program.start().awaitSubscribed();
            CommittedRecords committed = kafka.follow("plant");
            Load load = Load.start(source.port(), TOPICS, 2, 200, RATE);
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long before = committed.count();
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = program.start().awaitSubscribed();
                await().atMost(Duration.ofSeconds(30)).until(() -> committed.count() >= before + RATE);
            }
            for (int kill = 0; kill < LEADER_KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                int leader = kafka.leader("plant", kill % 3);
                assertThat(kafka.kill(leader)).as("the kill fired").isEqualTo(137);
                long before = committed.count();
                PlantlineProcess runs = plantline;
                await().atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> assertThat(committed.count())
                                .as(() -> "leader " + leader + " was killed, " + kafka.unavailable("plant") + ": "
                                        + runs.log())
                                .isGreaterThanOrEqualTo(before + RATE));
                kafka.startNode(leader);
                kafka.awaitReady();
            }
            tooFewInSync(kafka, committed);
            committed.close();
            assertThat(load.isRunning()).as("every kill happened under load").isTrue();
            int perTopic = load.stop();
            await().atMost(Duration.ofSeconds(90)).until(() -> tally(kafka).distinct() >= (long) perTopic * TOPICS);
            assertThat(plantline.stop()).isIn(0, 143);
            Tally tally = tally(kafka);
            System.out.println("kafka, " + KILLS + " kills, " + LEADER_KILLS + " of the leader: " + tally + ", missing "
                    + tally.missing(TOPICS, perTopic));
            assertThat(tally.missing(TOPICS, perTopic)).isEmpty();
            assertThat(tally.altered()).isZero();
            assertThat(tally.inversions()).isZero();
            assertThat(tally.duplicates()).isZero();
            assertThat(plantline.log())
                    .containsPattern("ledger kafka: accepted " + tally.total() + " = delivered " + tally.total()
                            + " \\+ filtered 0 \\+ dead-lettered 0 \\+ waiting 0");
        }
    }

    /** While fewer nodes are in sync than the topic asks for, it takes nothing. */
    private static void tooFewInSync(KafkaCluster kafka, CommittedRecords committed) {
        kafka.set("plant", "min.insync.replicas", "3");
        int follower = (kafka.leader("plant", 0) + 1) % 3;
        assertThat(kafka.kill(follower)).as("the kill fired").isEqualTo(137);
        long[] seen = {-1};
        await("nothing is taken")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(2))
                .until(() -> seen[0] == (seen[0] = committed.count()));
        kafka.startNode(follower);
        kafka.awaitReady();
        await().atMost(Duration.ofSeconds(60)).until(() -> committed.count() >= seen[0] + RATE);
    }

    private static Tally tally(KafkaCluster kafka) {
        Tally tally = new Tally();
        kafka.read("plant").forEach(record -> tally.add(record.value()));
        return tally;
    }
}
