package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mount;
import io.plantline.testkit.MqttFaultProxy;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Stamp;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power goes: what ext4 has written of the data directory at some moment, and not what waits in the memory of the
 * kernel, is all there is. Every message that was acknowledged before that moment is delivered from there.
 */
@Tag("faults")
class PowerCutIT {
    private static final int TOPICS = 20;
    private static final int RATE = 1_000;
    private static final int CUTS = Integer.getInteger("power.cuts", 50);

    @TempDir
    private Path directory;

    private final Map<Integer, Stamp> received = new ConcurrentHashMap<>();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();

    /** A disk as it was, and what had been acknowledged before. */
    private record Cut(Path image, Set<String> acknowledged) {}

    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void whatWasAcknowledgedIsDeliveredFromTheDiskAsThePowerLeftIt() throws Exception {
        Path image = Mount.format(directory.resolve("disk"), "256M");
        Path mount = directory.resolve("mount");
        List<Cut> cuts;
        Path config;
        try (Mount disk = Mount.image(image, mount);
                Artemis source = Artemis.start();
                MqttFaultProxy proxy = MqttFaultProxy.to(source.port())) {
            config = Files.writeString(directory.resolve("config.json"), """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "power", "receive-maximum": 1000},
                     "data-directory": "%s", "data-min-free": 1,
                     "targets": {"lake": {"type": "file", "directory": "%s", "event-type": "batch", "format": "parquet", "batch": {"max-age": "500ms"}}},
                     "subscriptions": {"plant/#": {"qos": 1, "target": "lake"}}}""".formatted(
                            proxy.port(), mount.resolve("data"), mount.resolve("lake")));
            proxy.tap(this::see);
            PlantlineProcess plantline = PlantlineProcess.in(directory)
                    .arguments("run", "--config", config.toString())
                    .start()
                    .awaitSubscribed();
            Load load = Load.start(source.port(), TOPICS, 1, 200, RATE);
            cuts = cut(plantline, image);
            load.stop();
            plantline.kill();
        }
        int inOutbox = 0;
        for (Cut cut : cuts) {
            inOutbox += verify(cut, mount, config);
        }
        System.out.println(CUTS + " power cuts: 0 of "
                + cuts.stream().mapToLong(cut -> cut.acknowledged().size()).sum() + " acknowledged messages missing, "
                + inOutbox + " of them were in the outbox only");
        assertThat(inOutbox).as("the outbox was needed").isPositive();
    }

    /** Remembers what is acknowledged. */
    private boolean see(boolean toClient, Packet packet) {
        if (toClient && packet.type() == Packet.PUBLISH) {
            Packet.Publish publish = packet.asPublish(5);
            received.put(publish.id(), Stamp.of(publish.payload()));
        } else if (!toClient && packet.type() == Packet.PUBACK) {
            acknowledged.add(key(received.get(packet.id())));
        }
        return true;
    }

    private static String key(Stamp stamp) {
        return stamp.topic() + " " + stamp.sequence();
    }

    /** Copies the image again and again; a copy counts if nothing was written meanwhile. */
    private List<Cut> cut(PlantlineProcess plantline, Path image) throws Exception {
        List<Cut> cuts = new ArrayList<>();
        while (cuts.size() < CUTS) {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(1_000_000_000L, 3_000_000_000L));
            Set<String> before = new HashSet<>(acknowledged);
            run("kill", "-STOP", Long.toString(plantline.pid()));
            Path copy = directory.resolve("cut-" + cuts.size());
            boolean still = run("cp", "--sparse=always", image.toString(), copy.toString())
                    && run("cmp", "-s", image.toString(), copy.toString());
            run("kill", "-CONT", Long.toString(plantline.pid()));
            if (still) {
                cuts.add(new Cut(copy, before));
            }
        }
        return cuts;
    }

    /** Returns how many acknowledged messages were not in the lake yet. */
    private int verify(Cut cut, Path mount, Path config) throws Exception {
        try (Mount disk = Mount.image(cut.image(), mount)) {
            Set<String> before = keys(mount);
            try (PlantlineProcess drain = PlantlineProcess.in(directory)
                    .arguments("outbox", "drain", "--config", config.toString())
                    .start()) {
                assertThat(drain.exitCode()).as(drain.log()).isZero();
                assertThat(drain.log()).doesNotContain("OUTBOX-CORRUPT", "OUTBOX-QUARANTINED");
            }
            Set<String> missing = new HashSet<>(cut.acknowledged());
            missing.removeAll(keys(mount));
            assertThat(missing).as("acknowledged, and gone with the power").isEmpty();
            Set<String> waited = new HashSet<>(cut.acknowledged());
            waited.removeAll(before);
            return waited.size();
        } finally {
            Files.delete(cut.image());
        }
    }

    private static Set<String> keys(Path mount) throws Exception {
        Set<String> keys = new HashSet<>();
        if (run("sh", "-c", "find " + mount + "/lake -name '*.parquet' | grep -q .")) {
            for (ParquetRows.Row row : ParquetRows.read(mount + "/lake/**/*.parquet")) {
                assertThat(keys.add(key(Stamp.of(row.payload())))).as("once").isTrue();
            }
        }
        return keys;
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    }
}
