package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.plantline.testkit.Certificates;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes on a clustered event bus with mutual TLS: one receives, the other processes and publishes. The link between them is
 * cut, and the publisher is killed, under load.
 */
class ClusterIT {
    private static final int TOPICS = 20;
    private static final int RATE = 500;
    private static final int CUT_SECONDS = Integer.getInteger("cluster.cut", 12);
    private static final int KILLS = Integer.getInteger("cluster.kills", 5);

    @TempDir
    private Path directory;

    private final int port = Ports.free();
    private final int busPort = Ports.free();
    private final DistinctRows raw = DistinctRows.in(() -> this.store.copy("lake", "raw", directory));
    private S3Server store;
    private String document;
    private boolean cut;

    private String document(int source, String model) throws Exception {
        Certificates nodes = Certificates.make(directory, "nodes", "ip:127.0.0.2,ip:127.0.0.3");
        String lake = """
                {"type": "s3", "s3-bucket": "lake", "key-prefix": "%s", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                 "event-type": "batch", "batch": {"max-age": "200ms"}%s}""";
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "cluster"},
                 "cluster": {"members": ["127.0.0.2", "127.0.0.3"], "port": %d, "bus-port": %d,
                             "tls": {"ca": "%s", "certificate": "%s", "key": "%s"}},
                 "targets": {"raw": %s, "asked": %s},
                 "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m", "batch-size": 500}},
                 "subscriptions": {"plant/#": {"qos": 2, "targets": ["raw", "asked"]}}}""".formatted(
                        source,
                        port,
                        busPort,
                        nodes.certificate(),
                        nodes.certificate(),
                        nodes.key(),
                        lake.formatted("raw", store.uri(), ""),
                        lake.formatted("asked", store.uri(), ", \"processors\": [\"model\"]"),
                        model);
    }

    private PlantlineProcess.Builder node(String host, String roles) {
        return PlantlineProcess.in(directory)
                .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY)
                .environment("EDGE_CLUSTER_HOST", host)
                .environment("EDGE_ROLES", roles);
    }

    private PlantlineProcess.Builder receiver() {
        return node("127.0.0.2", "dispatcher")
                .environment("EDGE_DATA_DIR", directory.resolve("data").toString());
    }

    private PlantlineProcess.Builder worker() {
        return node("127.0.0.3", "publisher,processor");
    }

    private void link(boolean open) throws Exception {
        Process iptables = new ProcessBuilder(
                        "iptables",
                        open ? "-D" : "-I",
                        "INPUT",
                        "-i",
                        "lo",
                        "-p",
                        "tcp",
                        "-m",
                        "multiport",
                        "--ports",
                        port + "," + busPort,
                        "-j",
                        "DROP")
                .inheritIO()
                .start();
        assertThat(iptables.waitFor()).isZero();
        cut = !open;
    }

    @AfterEach
    void mend() throws Exception {
        if (cut) {
            link(true);
        }
    }

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void nothingIsMissingOrTwiceWhenTheLinkIsCutAndThePublisherDies() throws Exception {
        Mosquitto.assumeInstalled();
        assumeTrue(
                Files.isExecutable(Path.of("/usr/sbin/iptables"))
                        && System.getProperty("user.name").equals("root"),
                "SKIPPED: a link is cut by iptables, which needs root");
        try (Mosquitto broker = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000");
                S3Server lake = S3Server.start();
                InferenceService service = InferenceService.start(request -> Reply.ok(request.body()))) {
            store = lake;
            lake.createBucket("lake");
            document = document(broker.port(), service.url());
            PlantlineProcess.Builder worker = worker().config(document);
            PlantlineProcess publisher = worker.start();
            PlantlineProcess dispatcher = receiver().config(document).start().awaitSubscribed();
            Load load = Load.start(broker.port(), TOPICS, 2, 200, RATE);
            awaitRows(2_000);

            link(false);
            dispatcher.await("CLUSTER-LEFT");
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(CUT_SECONDS));
            long during = raw.count();
            link(true);
            awaitRows(during + 2_000);

            for (int i = 0; i < KILLS; i++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000_000L, 1_500_000_000L));
                assertThat(publisher.kill()).isEqualTo(137);
                long before = raw.count();
                publisher = worker.start();
                awaitRows(before + 500);
            }
            int perTopic = load.stop();
            awaitRows((long) perTopic * TOPICS);
            DistinctRows asked = DistinctRows.in(() -> store.copy("lake", "asked", directory));
            await().atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> asked.count() >= (long) perTopic * TOPICS);
            assertThat(dispatcher.stop()).isIn(0, 143);
            assertThat(publisher.stop()).isIn(0, 143);
            for (String prefix : new String[] {"raw", "asked"}) {
                Verifier.Findings found = Verifier.verify(store.copy("lake", prefix, directory), TOPICS, perTopic);
                System.out.println("link cut for " + CUT_SECONDS + " s, publisher killed " + KILLS + " times, " + prefix
                        + ": " + found.text());
                assertThat(found.missing()).isEmpty();
                assertThat(found.duplicates()).isZero();
                assertThat(found.altered()).isZero();
                assertThat(dispatcher.log())
                        .contains("ledger " + prefix + ": accepted " + found.total() + " = delivered " + found.total());
            }
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void nothingIsMissingOrTwiceWhenNodesAreRolledAndHaveDifferentDocumentsForAWhile() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto broker = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000");
                S3Server lake = S3Server.start();
                InferenceService service = InferenceService.start(request -> Reply.ok(request.body()))) {
            store = lake;
            lake.createBucket("lake");
            String before = document(broker.port(), service.url());
            String after = before.replace("\"raw\", \"region\"", "\"raw/next\", \"region\"");
            assertThat(after).isNotEqualTo(before);
            Path ours = Files.writeString(directory.resolve("dispatcher.json"), before);
            Path theirs = Files.writeString(directory.resolve("worker.json"), before);
            PlantlineProcess.Builder works = worker().arguments("run", "--config", theirs.toString());
            PlantlineProcess.Builder receives = receiver().arguments("run", "--config", ours.toString());
            PlantlineProcess publisher = works.start();
            PlantlineProcess dispatcher = receives.start().awaitSubscribed();
            Load load = Load.start(broker.port(), TOPICS, 2, 200, RATE);
            awaitMore();

            Files.writeString(theirs, after);
            publisher.await("RELOAD-APPLIED");
            awaitMore();
            Files.writeString(ours, after);
            dispatcher.await("RELOAD-APPLIED");
            awaitMore();
            dispatcher.await("OUTBOX-DRAINED: all of raw-");
            long earlier = accepted(dispatcher, "OUTBOX-DRAINED: all of raw-\\w+ is delivered: raw-\\w+");

            assertThat(publisher.stop()).isIn(0, 143);
            publisher = works.start();
            awaitMore();
            assertThat(dispatcher.stop()).isIn(0, 143);
            dispatcher = receives.start().awaitSubscribed();
            awaitMore();

            int perTopic = load.stop();
            awaitRows((long) perTopic * TOPICS);
            assertThat(dispatcher.stop()).isIn(0, 143);
            assertThat(publisher.stop()).isIn(0, 143);
            Verifier.Findings found = Verifier.verify(store.copy("lake", "raw", directory), TOPICS, perTopic);
            System.out.println("both nodes rolled, with different documents for a while: " + found.text());
            assertThat(found.missing()).isEmpty();
            assertThat(found.duplicates()).isZero();
            assertThat(found.altered()).isZero();
            assertThat(earlier + accepted(dispatcher, "ledger raw")).isEqualTo(found.total());
        }
    }

    /** What the first line of a log that has this says was accepted, all of which must be delivered. */
    private static long accepted(PlantlineProcess process, String line) {
        Matcher matcher =
                Pattern.compile(line + ": accepted (\\d+) = delivered \\1 ").matcher(process.log());
        assertThat(matcher.find()).as("%s in %s", line, process.log()).isTrue();
        return Long.parseLong(matcher.group(1));
    }

    private void awaitMore() {
        awaitRows(raw.count() + RATE);
    }

    private void awaitRows(long many) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> raw.count() >= many);
    }
}
