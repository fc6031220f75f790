package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.flow.ReloadScenario.Version;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.ConfigMapMount;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.FaultProxy;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Stamp;
import io.plantline.testkit.Verifier;
import io.plantline.testkit.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The document changes again and again under load, as Flux and the kubelet change it: nothing is missing, nothing comes
 * twice, and what did not change did not notice.
 */
class ReloadIT {
    private static final int TOPICS = ReloadScenario.TOPICS;
    private static final int RELOADS = Integer.getInteger("reload.count", 20);
    private static final int RATE = ReloadScenario.RATE;
    private static final Pattern ENDED = Pattern.compile("RELOAD-(APPLIED|REFUSED|ROLLED-BACK):");

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void nothingIsMissingOrTwiceWhileTheDocumentChanges(int qos) throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto broker = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000");
                FaultProxy plant = FaultProxy.to(broker.port());
                Artemis targets = Artemis.start();
                FaultProxy hotLine = FaultProxy.to(targets.port());
                FaultProxy warmLine = FaultProxy.to(targets.port());
                S3Server store = S3Server.start();
                InferenceService service = InferenceService.start(request -> Reply.ok(request.body()));
                Collector hot = new Collector(targets.port(), "hot/#", 1);
                Collector warm = new Collector(targets.port(), "warm/#", 1)) {
            store.createBucket("lake");
            ReloadScenario scenario = new ReloadScenario(
                    directory,
                    plant.port(),
                    hotLine.port(),
                    warmLine.port(),
                    store.uri().toString(),
                    service.url());
            AtomicLong gap = new AtomicLong();
            AtomicLong lastHot = new AtomicLong();
            hot.also(message -> {
                long now = System.nanoTime();
                long before = lastHot.getAndSet(now);
                if (before > 0) {
                    gap.accumulateAndGet(now - before, Math::max);
                }
            });
            ConfigMapMount mount =
                    ConfigMapMount.in(directory.resolve("config"), scenario.document(Version.of(0, qos)));
            PlantlineProcess plantline = ReloadScenario.start(directory, mount);
            Load load = Load.start(broker.port(), TOPICS, qos, 200, RATE);
            AtomicBoolean goOn = new AtomicBoolean(true);
            CompletableFuture<Integer> moving = ReloadScenario.publishToMoving(broker.port(), goOn::get);
            await().atMost(Duration.ofMinutes(1)).until(() -> hot.tally().total() > 1_000);
            int hotConnections = hotLine.connections();
            List<Long> activeMillis = new ArrayList<>();
            gap.set(0);
            long[] files = new long[2];
            long[] threads = new long[2];
            long[] heap = new long[2];
            for (int i = 1; i <= RELOADS; i++) {
                long swapped = System.nanoTime();
                mount.swap(scenario.document(Version.of(i, qos)));
                int number = i;
                await().atMost(Duration.ofSeconds(30))
                        .pollInterval(Duration.ofMillis(10))
                        .until(() -> ended(plantline).size() >= number);
                activeMillis.add((System.nanoTime() - swapped) / 1_000_000);
                assertThat(ended(plantline).get(i - 1))
                        .as(plantline.log())
                        .isEqualTo(Version.of(i, qos).valid() ? "APPLIED" : "REFUSED");
                if (i == Math.min(10, RELOADS / 2)) {
                    files[0] = count(plantline, "fd");
                    threads[0] = count(plantline, "task");
                    heap[0] = plantline.liveMegabytes();
                    // Looking has stopped the program for a moment.
                    gap.set(0);
                    lastHot.set(0);
                }
            }
            files[1] = count(plantline, "fd");
            threads[1] = count(plantline, "task");
            long largestGap = gap.get() / 1_000_000;
            await().atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        heap[1] = plantline.liveMegabytes();
                        // Messages that wait are alive, too; what has leaked stays.
                        assertThat(heap[1]).as("megabytes that live").isLessThan(heap[0] + 16);
                    });
            int perTopic = load.stop();
            goOn.set(false);
            int movingPerTopic = moving.get();
            await().atMost(Duration.ofMinutes(1)).until(() -> hot.tally().distinct() >= (long) perTopic * TOPICS);
            await().atMost(Duration.ofMinutes(1))
                    .untilAsserted(() -> assertThat(warm.tally().distinct())
                            .as(plantline.log())
                            .isGreaterThanOrEqualTo((long) perTopic * TOPICS));
            DistinctRows lakeRows = DistinctRows.in(() -> store.copy("lake", "lake", directory));
            DistinctRows movingRows = DistinctRows.in(() -> store.copy("lake", "moving", directory));
            await().atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        assertThat(lakeRows.count()).isGreaterThanOrEqualTo((long) perTopic * TOPICS);
                        assertThat(movingRows.count())
                                .as(plantline.log())
                                .isGreaterThanOrEqualTo((long) movingPerTopic * TOPICS);
                    });
            assertThat(plant.connections()).as("the broker's connection").isEqualTo(1);
            assertThat(hotLine.connections()).as("an unchanged target's").isEqualTo(hotConnections);
            assertThat(plantline.stop()).isIn(0, 143);
            Collections.sort(activeMillis);
            System.out.println(RELOADS + " reloads at QoS " + qos + " under " + RATE
                    + " messages a second: from swap to"
                    + " active " + activeMillis.get(activeMillis.size() / 2) + " ms (median), largest gap " + largestGap
                    + " ms, files " + files[0] + " then " + files[1] + ", threads " + threads[0] + " then " + threads[1]
                    + ", live heap " + heap[0] + " then " + heap[1] + " MB"
                    + "; hot: " + hot.tally() + "; warm: " + warm.tally());
            for (Collector collector : List.of(hot, warm)) {
                assertThat(collector.tally().missing(TOPICS, perTopic)).isEmpty();
                assertThat(collector.tally().duplicates()).isZero();
                assertThat(collector.tally().inversions()).isZero();
                assertThat(collector.tally().altered()).isZero();
            }
            verify(store.copy("lake", "lake", directory), perTopic);
            verify(store.copy("lake", "moving", directory), movingPerTopic);
            assertThat(files[1]).as("open files").isLessThan(files[0] + 20);
            assertThat(threads[1]).as("threads").isLessThan(threads[0] + 20);
        }
    }

    /** What no plan has yet goes where the document says now; a plan, which may have been written in part, stays. */
    @Test
    void aWrongBucketThatIsPutRightHealsByItself() throws Exception {
        try (Artemis broker = Artemis.start();
                S3Server store = S3Server.start();
                WireClient publisher = WireClient.connect(broker.port(), "p", 4, true)) {
            store.createBucket("lake");
            String wrong = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "wrong"},
                     "targets": {"lake": {"type": "s3", "s3-bucket": "lkae", "region": "us-east-1", "endpoint": "%s",
                                          "path-style": true, "event-type": "batch"}},
                     "subscriptions": {"a/#": {"qos": 2, "target": "lake"}}}""".formatted(broker.port(), store.uri());
            ConfigMapMount mount = ConfigMapMount.in(directory.resolve("config"), wrong);
            PlantlineProcess plantline = ReloadScenario.start(directory, mount);
            publisher.publish("a/1", 2, false, new Stamp(0, 0, 0).payload(100));
            plantline.await("TARGET-HELD");
            for (int i = 1; i <= 50; i++) {
                publisher.publish("a/1", 2, false, new Stamp(0, i, 0).payload(100));
            }
            mount.swap(wrong.replace("lkae", "lake"));
            plantline.await("OUTBOX-MOVED: 50 messages");
            DistinctRows rows = DistinctRows.in(() -> store.copy("lake", "", directory));
            await().until(() -> rows.count() == 50);
            assertThat(plantline.stop()).isIn(0, 143);
            assertThat(plantline.log())
                    .contains("ledger lake: accepted 50 = delivered 50")
                    .containsPattern("ledger lake-[0-9a-f]+: accepted 51 .* purged 50 .* waiting 1");
        }
    }

    private static void verify(Path folder, int perTopic) {
        Verifier.Findings found = Verifier.verify(folder, TOPICS, perTopic);
        System.out.println(found.text());
        assertThat(found.missing()).isEmpty();
        assertThat(found.duplicates()).isZero();
        assertThat(found.altered()).isZero();
    }

    private static List<String> ended(PlantlineProcess plantline) {
        List<String> outcomes = new ArrayList<>();
        Matcher matcher = ENDED.matcher(plantline.log());
        while (matcher.find()) {
            outcomes.add(matcher.group(1));
        }
        return outcomes;
    }

    private static long count(PlantlineProcess plantline, String kind) throws IOException {
        try (Stream<Path> entries = Files.list(Path.of("/proc/" + plantline.pid() + "/" + kind))) {
            return entries.count();
        }
    }
}
