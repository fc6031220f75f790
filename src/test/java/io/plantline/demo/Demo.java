package io.plantline.demo;

import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.config.Plugins;
import io.plantline.mqtt.SessionStatus;
import io.plantline.observe.TargetLedger;
import io.plantline.runtime.House;
import io.plantline.runtime.PluginCatalog;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.ParquetRows;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Runs the main job on embedded parts and shows what happens as it happens. */
public final class Demo {
    private static final Path LAKE = Path.of("target/demo/lake");
    private static final int STANDSTILL_SECONDS = 5;

    private final Artemis plantBroker = Artemis.start();
    private final Artemis otherBroker = Artemis.start();
    private final InferenceService model = InferenceService.start(Demo::predict);
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final Plant plant = new Plant(plantBroker.port());
    private final Thread plantThread = new Thread(plant, "plant");
    private final House house;
    private final Configuration configuration;
    private final Collector answers;

    private Demo() throws Exception {
        deleteLake();
        String document = Files.readString(Path.of("conf/demo.json"))
                .replace("${PLANT_PORT}", Integer.toString(plantBroker.port()))
                .replace("${OTHER_PORT}", Integer.toString(otherBroker.port()))
                .replace("${MODEL_URL}", model.url())
                .replace("${LAKE}", LAKE.toString());
        Plugins plugins = PluginCatalog.load(Path.of("plugins"));
        ConfigurationParser parser = new ConfigurationParser(plugins, 1);
        configuration = parser.parse(document, Map.of()).configuration();
        house = new House(vertx, plugins, source -> parser.definition(source, Map.of()), null);
        answers = new Collector(otherBroker.port(), "#", 1);
    }

    /** Runs until Ctrl-C, or for {@code -Ddemo.seconds}. */
    public static void main(String[] arguments) throws Exception {
        System.out.println("Starting a plant, two brokers, a model and a lake ...");
        Demo demo = new Demo();
        Thread end = new Thread(demo::end, "demo-end");
        Runtime.getRuntime().addShutdownHook(end);
        demo.run(Integer.getInteger("demo.seconds", Integer.MAX_VALUE));
        System.exit(0);
    }

    private void run(int seconds) throws Exception {
        house.start(configuration).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        // What is published before the broker has a subscription is nobody's.
        await(this::isSubscribed);
        System.out.println("""

                com1/plant1/area1/+/Message1|2 ---> Parquet files in %s
                com1/plant1/area2/+/Message1 ---> model at %s ---> the other broker
                Ctrl-C ends it.
                """.formatted(LAKE, model.url()));
        plantThread.start();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        StandstillWatch watch = new StandstillWatch(STANDSTILL_SECONDS, Path.of("target/demo/threads.txt"));
        for (int beat = 1; System.nanoTime() < end; beat++) {
            LockSupport.parkNanos(1_000_000_000L);
            show(beat);
            watch.beat(plant.published())
                    .ifPresent(dump -> System.out.println("       the broker of the plant has confirmed nothing for "
                            + STANDSTILL_SECONDS + " s; what all threads do is in " + dump));
        }
    }

    private boolean isSubscribed() {
        List<SessionStatus> sessions =
                house.sessions().toCompletionStage().toCompletableFuture().join();
        return sessions.stream().allMatch(session -> session.state() == SessionStatus.State.SUBSCRIBED);
    }

    private void show(int beat) {
        Map<String, TargetLedger.Snapshot> books = new java.util.HashMap<>();
        house.ledgers().forEach(ledger -> books.put(ledger.target(), ledger));
        TargetLedger.Snapshot lake = books.get("lake");
        TargetLedger.Snapshot other = books.get("other-broker");
        System.out.printf(
                "%3d s  published %6d | lake: %6d rows in %4d files, %3d waiting | model and broker: %5d answers, %3d waiting%n",
                beat,
                plant.published(),
                lake.delivered(),
                files().size(),
                lake.waiting(),
                other.delivered(),
                other.waiting());
        if (beat % 5 == 0) {
            newest().ifPresent(Demo::look);
        }
    }

    private static void look(Path file) {
        List<ParquetRows.Row> rows = ParquetRows.read(file.toString());
        System.out.println("       newest: " + LAKE.relativize(file));
        rows.stream()
                .skip(Math.max(0, rows.size() - 2))
                .forEach(
                        row -> System.out.println("         " + row.receivedAt().toLocalTime() + "  " + row.topic()
                                + "  " + new String(row.payload(), StandardCharsets.UTF_8)));
    }

    private void end() {
        plant.stop();
        try {
            plantThread.join(2_000);
            long published = plant.published();
            await(() -> house.ledgers().stream()
                            .mapToLong(TargetLedger.Snapshot::accepted)
                            .sum()
                    >= published);
            house.stop(Duration.ofSeconds(10))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(15, TimeUnit.SECONDS);
            long rows = files().isEmpty() ? 0 : ParquetRows.count(LAKE + "/**/*.parquet");
            await(() -> answers.tally().total() + answers.tally().altered()
                    >= house.ledgers().stream()
                            .filter(ledger -> ledger.target().equals("other-broker"))
                            .mapToLong(TargetLedger.Snapshot::delivered)
                            .sum());
            long received = answers.tally().altered();
            await(() -> rows + received + plantBroker.waiting() == published);
            long kept = plantBroker.waiting();
            System.out.println("\nThe ledger:");
            house.ledgers().forEach(ledger -> System.out.println("  " + ledger));
            System.out.println("Counted outside Plantline:");
            System.out.println("  published and confirmed by the broker: " + published);
            System.out.println("  rows that DuckDB finds in the lake:    " + rows);
            System.out.println("  answers that a subscriber received:    " + received);
            System.out.println("  messages that the broker still holds:  " + kept);
            System.out.println(
                    rows + received + kept == published
                            ? "It balances: " + published + " = " + rows + " + " + received + " + " + kept
                            : "IT DOES NOT BALANCE: " + published + " published, " + (rows + received) + " arrived, "
                                    + kept + " held");
        } catch (Exception e) {
            System.out.println("The demo did not end in order: " + e);
        }
        System.out.flush();
    }

    /** A model: is the oven too hot? */
    private static InferenceService.Reply predict(InferenceService.Request request) {
        String reading = new String(request.body(), StandardCharsets.UTF_8);
        int at = reading.indexOf("\"zone_c\":[") + 10;
        double zone = Double.parseDouble(reading.substring(at, reading.indexOf(',', at)));
        String answer = "{\"anomaly\":" + (zone > 200) + ",\"score\":"
                + Math.round(Math.min(1, zone / 210) * 100) / 100.0 + ",\"reading\":" + reading + "}";
        return InferenceService.Reply.ok(answer.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Path> files() {
        if (!Files.isDirectory(LAKE)) {
            return List.of();
        }
        try (Stream<Path> walk = Files.walk(LAKE)) {
            return walk.filter(path -> path.toString().endsWith(".parquet")).toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    private static Optional<Path> newest() {
        return files().stream().max(Comparator.comparing(Path::toString));
    }

    private static void deleteLake() throws IOException {
        for (Path file : files()) {
            Files.delete(file);
        }
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(Condition condition) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (!condition.holds() && System.nanoTime() < end) {
            LockSupport.parkNanos(20_000_000);
        }
    }
}
