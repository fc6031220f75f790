package io.plantline.bench;

import io.plantline.testkit.Generator;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.PlantlineProcess;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * What lanes and processor instances add where the model takes its time: messages a second through a service that answers each
 * call after ten milliseconds, while a backlog is drained.
 */
final class ProcessorBenchmark {
    private static final int TOPICS = 100;
    private static final int BURST = 8_000;
    private static final long ANSWER_NANOS = 10_000_000;

    private final Path directory;
    private final int bursts;

    ProcessorBenchmark(Path directory, int bursts) {
        this.directory = directory;
        this.bursts = bursts;
    }

    void run() throws Exception {
        measure(1, 1);
        measure(4, 1);
        measure(4, 4);
    }

    private void measure(int lanes, int instances) throws Exception {
        String name = lanes + "-" + instances;
        AtomicInteger answered = new AtomicInteger();
        try (Mosquitto source = Mosquitto.start(directory.resolve(name), "max_inflight_messages 1000");
                InferenceService service = InferenceService.start(request -> {
                    LockSupport.parkNanos(ANSWER_NANOS);
                    answered.incrementAndGet();
                    return Reply.ok(request.body());
                })) {
            PlantlineProcess process = PlantlineProcess.in(directory.resolve(name))
                    .asShipped()
                    .config("""
                            {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "bench"},
                             "data-directory": "%s",
                             "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m", "instances": %d}},
                             "targets": {"t": {"type": "file", "event-type": "batch", "directory": "%s", "format": "json",
                                               "lanes": %d, "processors": ["model"]}},
                             "subscriptions": {"bench/#": {"qos": 1, "target": "t"}}}""".formatted(
                                    source.port(),
                                    directory.resolve(name + "/data"),
                                    service.url(),
                                    instances,
                                    directory.resolve(name + "/lake"),
                                    lanes))
                    .start()
                    .awaitSubscribed();
            double[] rates = new double[bursts];
            for (int i = -1; i < bursts; i++) {
                int before = answered.get();
                new Generator(source.port(), TOPICS, t -> "bench/line" + t, 1, 250).publish(BURST, 0, 2_000);
                long start = System.nanoTime();
                int first = answered.get();
                while (answered.get() < before + BURST) {
                    LockSupport.parkNanos(1_000_000);
                }
                if (i >= 0) {
                    rates[i] = (before + BURST - first) / ((System.nanoTime() - start) / 1e9);
                }
            }
            process.stop();
            Arrays.sort(rates);
            System.out.printf(
                    Locale.ROOT,
                    "processor  %d lanes, %d instances: %.0f messages a second (median of %d, %.0f to %.0f)%n",
                    lanes,
                    instances,
                    rates[bursts / 2],
                    bursts,
                    rates[0],
                    rates[bursts - 1]);
        }
    }
}
