package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.DistinctRows;
import io.plantline.testkit.Load;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Verifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * kill -9 under load with a data directory, which hits every kind of lake at once: nothing is missing in any of them, and QoS 2 is
 * there once.
 */
class DiskCrashIT {
    private static final int TOPICS = 20;
    private static final int KILLS = Integer.getInteger("crash.kills", 5);
    private static final int RATE = Integer.getInteger("crash.rate", 500);
    /** A file or an object per message; each file is forced to disk. */
    private static final int SINGLE_RATE = RATE / 25;

    @TempDir
    private Path directory;

    /** Messages of one area, and where they go. */
    private record Area(String name, int qos, int rate, List<Lake> lakes) {

        Load start(int port) {
            return Load.start(name, port, TOPICS, qos, 200, rate);
        }

        String subscription() {
            String targets =
                    lakes.stream().map(lake -> "\"" + lake.name() + "\"").collect(Collectors.joining(", "));
            return "\"%s/#\": {\"qos\": %d, \"targets\": [%s]}".formatted(name, qos, targets);
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void nothingIsMissingAndQosTwoIsOnceInEachLakeFromArtemis() throws Exception {
        try (Artemis source = Artemis.start()) {
            // Artemis sends again under new identifiers, so there the payloads tell.
            crash("artemis", source.port(), true);
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void nothingIsMissingAndQosTwoIsOnceInEachLakeFromMosquitto() throws Exception {
        Mosquitto.assumeInstalled();
        try (Mosquitto source = Mosquitto.start(directory, "max_inflight_messages 1000")) {
            crash("mosquitto", source.port(), false);
        }
    }

    private void crash(String broker, int port, boolean uniquePayloads) throws Exception {
        try (S3Server s3 = S3Server.start()) {
            s3.createBucket("lake");
            List<Area> areas = List.of(
                    new Area("twice", 1, RATE, List.of(new Folder("files-of-qos-1", "batch"))),
                    new Area(
                            "many",
                            2,
                            RATE,
                            List.of(new Folder("files", "batch"), new Bucket("objects", "batch", s3, "objects/"))),
                    new Area(
                            "few",
                            2,
                            SINGLE_RATE,
                            List.of(
                                    new Folder("file-each", "single"),
                                    new Bucket("object-each", "single", s3, "object-each/few/line0/"))));
            List<Lake> lakes =
                    areas.stream().flatMap(area -> area.lakes.stream()).toList();
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "crash", "connections": %d, "unique-payloads": %s},
                     "data-directory": "%s",
                     "targets": {%s},
                     "subscriptions": {%s}}""".formatted(
                            port,
                            areas.size(),
                            uniquePayloads,
                            directory.resolve("data"),
                            lakes.stream().map(Lake::section).collect(Collectors.joining(", ")),
                            areas.stream().map(Area::subscription).collect(Collectors.joining(", ")));
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .config(document)
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            PlantlineProcess plantline = start(program, areas.size());
            List<Load> loads = areas.stream().map(area -> area.start(port)).toList();
            for (int kill = 0; kill < KILLS; kill++) {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000L, 1_500_000_000L));
                long[] before = some(lakes);
                assertThat(plantline.kill()).as("the kill fired").isEqualTo(137);
                plantline = start(program, areas.size());
                awaitMore(lakes, before);
            }
            assertThat(loads).as("every kill happened under load").allMatch(Load::isRunning);
            int[] perTopic = loads.stream().mapToInt(Load::stop).toArray();
            for (int i = 0; i < perTopic.length; i++) {
                awaitAll(areas.get(i), perTopic[i]);
            }
            assertThat(plantline.stop()).isIn(0, 143);
            for (int i = 0; i < perTopic.length; i++) {
                verify(broker, areas.get(i), perTopic[i], plantline.log());
            }
        }
    }

    private static void awaitMore(List<Lake> lakes, long[] before) {
        for (int i = 0; i < before.length; i++) {
            Lake lake = lakes.get(i);
            long then = before[i];
            await(lake.name())
                    .atMost(Duration.ofSeconds(20))
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(250))
                    .until(() -> lake.some() > then);
        }
    }

    private static void awaitAll(Area area, int perTopic) {
        for (Lake lake : area.lakes) {
            DistinctRows rows = DistinctRows.in(lake::folder);
            await(lake.name())
                    .atMost(Duration.ofMinutes(2))
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> rows.count() >= perTopic * TOPICS);
        }
    }

    private static void verify(String broker, Area area, int perTopic, String log) {
        for (Lake lake : area.lakes) {
            Verifier.Findings found = Verifier.verify(lake.folder(), TOPICS, perTopic);
            System.out.println("disk, " + broker + ", QoS " + area.qos + ", " + lake.name() + ", " + KILLS + " kills: "
                    + found.text());
            assertThat(found.missing()).as(lake.name()).isEmpty();
            assertThat(found.altered()).as(lake.name()).isZero();
            if (area.qos == 2) {
                assertThat(found.duplicates()).as(lake.name()).isZero();
            }
            assertThat(log)
                    .containsPattern("ledger " + lake.name() + ": accepted " + found.total() + " = delivered "
                            + found.total() + " \\+ filtered 0 \\+ dead-lettered 0 \\+ waiting 0");
        }
    }

    /** Each area has a session of its own: of several filters of one session Artemis may forget one (docs/brokers.md). */
    private static PlantlineProcess start(PlantlineProcess.Builder program, int sessions) {
        PlantlineProcess plantline = program.start();
        for (int i = 0; i < sessions; i++) {
            plantline.await(" as crash" + (i == 0 ? "" : "." + i) + ": subscriptions ");
        }
        return plantline;
    }

    private static long[] some(List<Lake> lakes) throws IOException {
        long[] counts = new long[lakes.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = lakes.get(i).some();
        }
        return counts;
    }

    /** A target that has Parquet. */
    private abstract static class Lake {
        private final String name;
        private final String place;
        private final String eventType;

        Lake(String name, String place, String eventType) {
            this.name = name;
            this.place = place;
            this.eventType = eventType;
        }

        String name() {
            return name;
        }

        /** The target's part of the document. */
        String section() {
            return """
                    "%s": {%s, "event-type": "%s", "batch": {"max-age": "100ms"}, "format": "parquet"}""".formatted(name, place, eventType);
        }

        /** As many objects as show whether there are more. */
        abstract long some() throws IOException;

        /** The objects as files. */
        abstract Path folder();
    }

    private final class Folder extends Lake {
        private final Path folder;

        Folder(String name, String eventType) {
            super(name, "\"type\": \"file\", \"directory\": \"" + directory.resolve(name) + "\"", eventType);
            folder = directory.resolve(name);
        }

        @Override
        long some() throws IOException {
            if (!Files.exists(folder)) {
                return 0;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                return files.filter(file -> file.toString().endsWith(".parquet"))
                        .count();
            } catch (UncheckedIOException e) {
                return some(); // A file got its name while we looked.
            }
        }

        @Override
        Path folder() {
            return folder;
        }
    }

    private final class Bucket extends Lake {
        private final S3Server server;
        private final String looked;

        /** All of {@code looked} are listed after each kill: where there are many objects it is a part of them. */
        Bucket(String name, String eventType, S3Server server, String looked) {
            super(name, """
                    "type": "s3", "s3-bucket": "lake", "key-prefix": "%s", "region": "us-east-1", "path-style": true,
                    "endpoint": "%s\"""".formatted(name, server.uri()), eventType);
            this.server = server;
            this.looked = looked;
        }

        @Override
        long some() {
            return server.keys("lake", looked).size();
        }

        @Override
        Path folder() {
            return server.copy("lake", name() + "/", directory);
        }
    }
}
