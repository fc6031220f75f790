package io.plantline.bench;

import io.plantline.testkit.Books;
import io.plantline.testkit.Collector;
import io.plantline.testkit.Generator;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.Stamp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * MQTT to MQTT at QoS 1 on both sides, beside the Mosquitto bridge: the CPU time a message costs while a backlog is
 * drained and at a live rate, and the latency at that rate. The backlog gathers while the subject is stopped (SIGSTOP),
 * so that bursts find it warm.
 */
public final class RelayBenchmark {
    private static final int TOPICS = 100;
    private static final int SIZE = 250;
    private static final int FILTERS = 10;

    /**
     * Bursts before any counts. What is called once a batch is compiled last: with a data directory the compiler is at it until
     * the eighth, and a burst with it costs up to a quarter more than one without.
     */
    private static final int WARM_UP = 8;

    /** Rounds at a live rate before any counts. */
    private static final int LIVE_WARM_UP = 3;

    private final Path directory;
    private final int burst;
    private final int bursts;

    private RelayBenchmark(Path directory, int burst, int bursts) {
        this.directory = directory;
        this.burst = burst;
        this.bursts = bursts;
    }

    public static void main(String[] arguments) throws Exception {
        int burst = Integer.getInteger("bench.burst", 300_000);
        int bursts = Integer.getInteger("bench.bursts", 5);
        List<String> which = List.of(arguments[0].split(","));
        RelayBenchmark benchmark = new RelayBenchmark(Files.createTempDirectory("bench"), burst, bursts);
        for (String subject : which) {
            if (subject.equals("live")) {
                benchmark.live("plantline");
            } else if (subject.equals("live-waiting")) {
                benchmark.live("plantline-10ms");
            } else if (subject.equals("live-disk")) {
                benchmark.liveOnDisk();
            } else if (subject.equals("processors")) {
                new ProcessorBenchmark(Files.createDirectories(benchmark.directory.resolve(subject)), bursts).run();
            } else {
                benchmark.run(subject);
            }
        }
        System.exit(0);
    }

    /** One subject, or two that take their bursts in turns: what one meets of the machine's mood the other meets next. */
    private void run(String kinds) throws Exception {
        List<Relay> relays = new ArrayList<>();
        try {
            for (String kind : kinds.split("\\+")) {
                relays.add(new Relay(kind));
            }
            double[] ratios = new double[bursts];
            for (int i = -WARM_UP; i < bursts; i++) {
                for (Relay relay : relays) {
                    relay.burst(i);
                }
                if (i >= 0) {
                    ratios[i] = relays.get(0).cost[i] / relays.get(relays.size() - 1).cost[i];
                }
            }
            relays.forEach(Relay::print);
            if (relays.size() == 2) {
                printRatio("backlog", ratios);
            }
        } finally {
            for (Relay relay : relays) {
                relay.close();
            }
        }
    }

    private static void printRatio(String what, double[] ratios) {
        double[] sorted = ratios.clone();
        Arrays.sort(sorted);
        System.out.printf(
                Locale.ROOT,
                "%s ratio %.2f (median of %d pairs, %.2f to %.2f)%n",
                what,
                sorted[sorted.length / 2],
                sorted.length,
                sorted[0],
                sorted[sorted.length - 1]);
    }

    /** A subject between two brokers of its own, which drains one backlog after the other. */
    private final class Relay implements AutoCloseable {
        private final String kind;
        private final Mosquitto source;
        private final Mosquitto sink;
        private final Subject subject;
        private final double[] cost = new double[bursts];

        Relay(String kind) throws IOException {
            this.kind = kind;
            Path folder = Files.createDirectories(directory.resolve(kind));
            source = Mosquitto.start(folder, "max_inflight_messages 1000");
            sink = Mosquitto.start(folder, "max_inflight_messages 0");
            subject = start(kind, folder, source.port(), sink.port());
        }

        /** Bursts before number 0 only warm up. */
        void burst(int number) throws Exception {
            long total = (number + WARM_UP + 1L) * burst;
            double micros = RelayBenchmark.this.burst(kind, subject, source.port(), sink.port(), total);
            if (number >= 0) {
                cost[number] = micros;
            }
        }

        void print() {
            double[] sorted = cost.clone();
            Arrays.sort(sorted);
            System.out.printf(
                    Locale.ROOT,
                    "%-10s backlog %6.2f us CPU a message (median of %d, %.2f to %.2f), peak RSS %d MB%n",
                    subject.name(),
                    sorted[bursts / 2],
                    bursts,
                    sorted[0],
                    sorted[bursts - 1],
                    subject.peakRssMb());
        }

        @Override
        public void close() {
            subject.close();
            source.close();
            sink.close();
        }
    }

    private static String topic(int number) {
        return "bench/" + number % FILTERS + "/line" + number;
    }

    /** Microseconds of CPU a message; with this burst there are {@code all} messages since the start. */
    private double burst(String kind, Subject subject, int source, int sink, long all) throws Exception {
        boolean relays = List.of("plantline", "disk", "bridge").contains(kind);
        try (Collector collector = relays ? new Collector(sink, "#", 0) : null) {
            subject.signal("STOP");
            new Generator(source, TOPICS, RelayBenchmark::topic, 1, SIZE).publish(burst, 0, 2000);
            double before = subject.cpuMicros();
            subject.signal("CONT");
            if (collector != null) {
                await(() -> collector.tally().total() >= burst);
            } else if (kind.startsWith("disk")) {
                await(() -> accepted(kind) >= all);
                awaitIdle(subject);
            } else {
                // It begins late where the broker has given the connection up meanwhile.
                await(() -> subject.cpuMicros() - before > burst * 0.5);
                awaitIdle(subject);
            }
            return (subject.cpuMicros() - before) / burst;
        }
    }

    private long accepted(String kind) {
        LockSupport.parkNanos(200_000_000);
        try {
            Matcher accepted = Pattern.compile("accepted (\\d+)")
                    .matcher(Books.of(directory.resolve(kind).resolve("data")));
            return accepted.find() ? Long.parseLong(accepted.group(1)) : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Beside the bridge, in turns: what one round meets of the machine's mood the other meets a moment later. */
    private void live(String kind) throws Exception {
        try (Live plantline = new Live(kind, 2_000);
                Live bridge = new Live("bridge", 2_000)) {
            double[] ratios = new double[bursts];
            for (int i = -LIVE_WARM_UP; i < bursts; i++) {
                double ours = plantline.round(i >= 0);
                double theirs = bridge.round(i >= 0);
                if (i >= 0) {
                    ratios[i] = ours / theirs;
                }
            }
            plantline.print();
            bridge.print();
            printRatio(kind + " live", ratios);
        }
    }

    /** What the data directory adds to the latency. */
    private void liveOnDisk() throws Exception {
        try (Live disk = new Live("disk", 1_000)) {
            for (int i = -LIVE_WARM_UP; i < bursts; i++) {
                disk.round(i >= 0);
            }
            disk.print();
        }
    }

    /** One relay between two brokers of its own, at a steady rate. */
    private final class Live implements AutoCloseable {
        private static final int SECONDS = 20;

        private final int rate;

        private final Mosquitto source;
        private final Mosquitto sink;
        private final Subject subject;
        private final List<Double> costs = new ArrayList<>();
        private final List<Long> latencies = new ArrayList<>();

        Live(String kind, int rate) throws IOException {
            this.rate = rate;
            Path folder = Files.createDirectories(directory.resolve("live-" + kind));
            source = Mosquitto.start(folder, "max_inflight_messages 1000");
            sink = Mosquitto.start(folder, "max_inflight_messages 0");
            subject = start(kind, folder, source.port(), sink.port());
        }

        /** Microseconds of CPU a message. */
        double round(boolean counts) throws Exception {
            // QoS 1, so that the collector sends something and its kernel does not delay TCP acknowledgements.
            try (Collector collector = new Collector(sink.port(), "#", 1)) {
                List<Long> seen = new ArrayList<>();
                collector.also(publish ->
                        seen.add(System.nanoTime() - Stamp.of(publish.payload()).sentNanos()));
                double before = subject.cpuMicros();
                new Generator(source.port(), TOPICS, RelayBenchmark::topic, 1, SIZE)
                        .publish(rate * SECONDS, 0, 2000, rate);
                await(() -> collector.tally().total() >= rate * SECONDS);
                double cost = (subject.cpuMicros() - before) / (rate * SECONDS);
                if (counts) {
                    costs.add(cost);
                    latencies.addAll(seen);
                }
                return cost;
            }
        }

        void print() {
            double[] sorted =
                    costs.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            long[] waits =
                    latencies.stream().mapToLong(Long::longValue).sorted().toArray();
            System.out.printf(
                    Locale.ROOT,
                    "%-10s live %d/s %6.1f us CPU a message (median of %d, %.1f to %.1f), latency p50 %.2f ms,"
                            + " p99 %.2f ms, max %.1f ms%n",
                    subject.name(),
                    rate,
                    sorted[sorted.length / 2],
                    sorted.length,
                    sorted[0],
                    sorted[sorted.length - 1],
                    waits[waits.length / 2] / 1e6,
                    waits[waits.length * 99 / 100] / 1e6,
                    waits[waits.length - 1] / 1e6);
        }

        @Override
        public void close() {
            subject.close();
            source.close();
            sink.close();
        }
    }

    private static void awaitIdle(Subject subject) {
        double last = -1;
        AtomicInteger quiet = new AtomicInteger();
        while (quiet.get() < 5) {
            LockSupport.parkNanos(200_000_000);
            double now = subject.cpuMicros();
            if (now - last < 20_000) {
                quiet.incrementAndGet();
            } else {
                quiet.set(0);
            }
            last = now;
        }
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(Condition condition) {
        long end = System.nanoTime() + 120_000_000_000L;
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("took too long");
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private Subject start(String kind, Path folder, int source, int sink) throws IOException {
        return switch (kind) {
            case "bridge" -> bridge(folder, source, sink);
            case "socket" -> Receiver.java("socket", BareSocket.class, folder, source);
            case "receive" -> Receiver.java("receive", ReceiveSession.class, folder, source);
            case "libmosquitto" -> Receiver.libmosquitto(folder, source);
            case "file", "disk-file", "disk-connections", "disk-filters", "disk-filters-connections" ->
                plantline(folder, source, kind, files(folder, ""));
            case "disk-publisher" -> plantline(folder, source, kind, files(folder, ", \"lanes\": 2, \"instances\": 1"));
            case "disk-publishers" ->
                plantline(folder, source, kind, files(folder, ", \"lanes\": 2, \"instances\": 2"));
            default ->
                plantline(
                        folder,
                        source,
                        kind,
                        "{\"type\": \"mqtt\", \"mqtt-broker-host\": \"127.0.0.1\", \"mqtt-broker-port\": " + sink
                                + waiting(kind) + "}");
        };
    }

    /** {@code plantline-10ms}: messages wait that long for others to leave with. */
    private static String waiting(String kind) {
        return kind.endsWith("ms")
                ? ", \"event-type\": \"batch\", \"batch\": {\"max-age\": \"" + kind.substring(kind.indexOf('-') + 1)
                        + "\"}"
                : "";
    }

    private static String files(Path folder, String more) {
        return "{\"type\": \"file\", \"event-type\": \"batch\", \"directory\": \"" + folder.resolve("lake")
                + "\", \"format\": \"json\"" + more + "}";
    }

    private static Subject plantline(Path folder, int source, String name, String target) {
        boolean connections = name.endsWith("connections");
        String subscription =
                "{\"qos\": 1, \"target\": \"t\"" + (name.equals("disk-connections") ? ", \"spread\": true}" : "}");
        String subscriptions = name.startsWith("disk-filters")
                ? IntStream.range(0, FILTERS)
                        .mapToObj(i -> "\"bench/" + i + "/#\": " + subscription)
                        .collect(Collectors.joining(", "))
                : "\"bench/#\": " + subscription;
        String document = "{\"mqtt-broker\": {\"addresses\": [\"127.0.0.1:" + source
                + "\"], \"client-id\": \"bench\", \"receive-maximum\": 1000"
                + (connections ? ", \"connections\": 2" : "") + "},"
                + (name.startsWith("disk") ? "\"data-directory\": \"" + folder.resolve("data") + "\"," : "")
                + "\"targets\": {\"t\": " + target
                + "}, \"subscriptions\": {" + subscriptions + "}}";
        PlantlineProcess.Builder builder =
                PlantlineProcess.in(folder).asShipped().config(document);
        for (String option : System.getProperty("bench.jvm", "").split(" ")) {
            if (!option.isBlank()) {
                builder.jvm(option);
            }
        }
        PlantlineProcess process = builder.start().await(" as bench:");
        if (connections) {
            process.await(" as bench.1:");
        }
        return new Subject() {
            @Override
            public long pid() {
                return process.pid();
            }

            @Override
            public String name() {
                return name;
            }

            @Override
            public void close() {
                process.stop();
                String log = process.log();
                System.out.println("           "
                        + log.lines()
                                .filter(line -> line.contains("ledger"))
                                .reduce((a, b) -> b)
                                .orElse(log));
            }
        };
    }

    /** A broker with two bridges, one from the source and one to the sink: what a plant has without Plantline. */
    private static Subject bridge(Path folder, int source, int sink) throws IOException {
        Mosquitto broker = Mosquitto.startOn(
                Ports.free(),
                folder,
                "max_inflight_messages 1000",
                "connection in",
                "address 127.0.0.1:" + source,
                "topic bench/# in 1",
                "cleansession false",
                "bridge_max_packet_size 0",
                "connection out",
                "address 127.0.0.1:" + sink,
                "topic bench/# out 1",
                "cleansession false");
        LockSupport.parkNanos(1_000_000_000);
        return new Subject() {
            @Override
            public long pid() {
                return broker.pid();
            }

            @Override
            public String name() {
                return "bridge";
            }

            @Override
            public void close() {
                broker.close();
            }
        };
    }
}
