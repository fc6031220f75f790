package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.command.CrashingPlantline;
import io.plantline.flow.ReloadScenario.Version;
import io.plantline.pipeline.outbox.log.CrashingDisk;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.ConfigMapMount;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.MqttFaultProxy;
import io.plantline.testkit.Packet;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 at each step of a reload: whichever document the next start finds, it runs it as a whole, and nothing is lost. */
class ReloadCrashIT {
    private static final int TOPICS = ReloadScenario.TOPICS;
    private static final int KILLS = Integer.getInteger("reload.kills", 1);

    @TempDir
    private Path directory;

    /** A step of a reload. */
    private sealed interface Step {
        /** Before or after a file of the data directory is there. */
        record OnDisk(CrashingDisk.Point point, String file) implements Step {}

        /** When a packet is about to pass. */
        record OnTheWire(boolean toClient, int packet) implements Step {}

        /** Some time after the document was seen. */
        record Sometime() implements Step {}

        static List<Step> all() {
            List<Step> steps = new ArrayList<>();
            for (String file : List.of(
                    "targets/moving-[0-9a-f]+/id",
                    "targets/moving-[0-9a-f]+/definition",
                    "session",
                    "targets/warm-[0-9a-f]+/definition",
                    "document")) {
                steps.add(new OnDisk(CrashingDisk.Point.BEFORE_RENAME, file));
                steps.add(new OnDisk(CrashingDisk.Point.AFTER_RENAME, file));
            }
            String log = "targets/moving-[0-9a-f]+/[^/]+[.]log";
            steps.add(new OnDisk(CrashingDisk.Point.BEFORE_WRITE, log));
            steps.add(new OnDisk(CrashingDisk.Point.AFTER_FORCE_BEFORE_ACKNOWLEDGEMENT, log));
            steps.add(new OnTheWire(false, Packet.UNSUBSCRIBE));
            steps.add(new OnTheWire(true, Packet.UNSUBACK));
            steps.add(new OnTheWire(false, Packet.SUBSCRIBE));
            steps.add(new OnTheWire(true, Packet.SUBACK));
            Collections.addAll(steps, Collections.nCopies(KILLS, new Sometime()).toArray(Step[]::new));
            return steps;
        }
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void killedAtEachStepOfAReload() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto broker = Mosquitto.start(directory.resolve("mosquitto"), "max_inflight_messages 1000");
                MqttFaultProxy plant = MqttFaultProxy.to(broker.port());
                Artemis targets = Artemis.start();
                S3Server store = S3Server.start();
                InferenceService service = InferenceService.start(request -> Reply.ok(request.body()))) {
            store.createBucket("lake");
            ReloadScenario scenario = new ReloadScenario(
                    directory,
                    plant.port(),
                    targets.port(),
                    targets.port(),
                    store.uri().toString(),
                    service.url());
            Version version = new Version(0, 2, true);
            String runs = scenario.document(version);
            ConfigMapMount mount = ConfigMapMount.in(directory.resolve("config"), runs);
            ReloadScenario.start(directory, mount).stop();
            Load load = Load.start(broker.port(), TOPICS, 2, 200, ReloadScenario.RATE);
            AtomicBoolean goOn = new AtomicBoolean(true);
            CompletableFuture<Integer> moving = ReloadScenario.publishToMoving(broker.port(), goOn::get);
            List<Step> steps = Step.all();
            for (int i = 0; i < steps.size(); i++) {
                // Valid ones only: an invalid one is refused before anything happens. Each has a target that was not
                // there, other settings of another, and a filter that comes or goes.
                Version edited = new Version(version.number() + (version.hasExtra() ? 3 : 1), 2, true);
                String next = scenario.document(edited).replace(edited.prefix(), "moving-at-step-" + i);
                PlantlineProcess killed = killAt(steps.get(i), mount, plant, next);
                assertThat(killed.exitCode())
                        .as("%s was reached:%n%s", steps.get(i), killed.log())
                        .isEqualTo(137);
                if (i % 2 == 0) {
                    // Somebody takes the edit back before the restart.
                    mount.swap(runs);
                } else {
                    version = edited;
                    runs = next;
                }
            }
            PlantlineProcess last = ReloadScenario.start(directory, mount);
            int perTopic = load.stop();
            goOn.set(false);
            int movingPerTopic = moving.get();
            DistinctRows lakeRows = DistinctRows.in(() -> store.copy("lake", "lake", directory));
            DistinctRows movingRows = DistinctRows.in(() -> store.copy("lake", "moving", directory));
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        assertThat(lakeRows.count()).isGreaterThanOrEqualTo((long) perTopic * TOPICS);
                        assertThat(movingRows.count())
                                .as(last.log())
                                .isGreaterThanOrEqualTo((long) movingPerTopic * TOPICS);
                    });
            assertThat(last.stop()).isIn(0, 143);
            System.out.println(steps.size() + " kills in the middle of a reload:");
            assertThat(Verifier.verify(store.copy("lake", "lake", directory), TOPICS, perTopic)
                            .missing())
                    .isEmpty();
            assertThat(Verifier.verify(store.copy("lake", "moving", directory), TOPICS, movingPerTopic)
                            .missing())
                    .isEmpty();
        }
    }

    /** Starts the program, gives it another document, and ends it in the middle of the change. */
    private PlantlineProcess killAt(Step step, ConfigMapMount mount, MqttFaultProxy plant, String next)
            throws IOException {
        Path now = directory.resolve("now");
        Files.deleteIfExists(now);
        PlantlineProcess plantline = step instanceof Step.OnDisk disk
                ? ReloadScenario.builder(directory)
                        .main(CrashingPlantline.class)
                        .arguments(
                                mount.file().toString(),
                                disk.point.name(),
                                "0",
                                directory.resolve("data") + "/" + disk.file,
                                now.toString())
                        .start()
                        .awaitSubscribed()
                : ReloadScenario.start(directory, mount);
        if (step instanceof Step.OnTheWire wire) {
            plant.tap((toClient, packet) ->
                    toClient != wire.toClient || packet.type() != wire.packet || plantline.kill() != 137);
        }
        Files.createFile(now);
        mount.swap(next);
        if (step instanceof Step.Sometime) {
            plantline.await("there is another document");
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(200_000_000L));
            plantline.kill();
        }
        plantline.exitCode();
        plant.tap((toClient, packet) -> true);
        return plantline;
    }
}
