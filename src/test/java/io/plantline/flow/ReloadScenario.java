package io.plantline.flow;

import io.plantline.testkit.ConfigMapMount;
import io.plantline.testkit.Generator;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * A document whose versions differ as Flux may change it: a lake and two targets that stay, a target that moves and one that
 * comes and goes.
 *
 * @param source port of the plant's broker
 * @param stable port of the broker of the target that never changes
 * @param other port of the broker of the target whose settings change
 * @param s3 where the bucket {@code lake} is
 * @param model where the processor is
 */
record ReloadScenario(Path directory, int source, int stable, int other, String s3, String model) {
    static final int TOPICS = 20;
    static final int RATE = Integer.getInteger("reload.rate", 500);

    /** What a document says that changes. */
    record Version(int number, int qos, boolean valid) {

        /** Two kinds of edit in each step, and every seventh document cannot run. */
        static Version of(int number, int qos) {
            return new Version(number, qos, number % 7 != 5);
        }

        String prefix() {
            return "moving" + number / 3 % 3;
        }

        int movingQos() {
            return 1 + number % 2;
        }

        boolean hasExtra() {
            return number % 4 < 2;
        }

        int records() {
            return 1_000 + number % 5;
        }

        int timeout() {
            return 5 + number / 2 % 3;
        }
    }

    String document(Version version) {
        String target = """
                {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d, "topic": "%s/{topic}"%s}""";
        String lake = """
                {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                 "key-prefix": "%s", "event-type": "batch", "batch": {"max-age": "200ms"}}""";
        String warm = ", \"processors\": [\"model\"], \"batch\": {\"max-records\": %d}".formatted(version.records());
        String extra = version.hasExtra()
                ? ", \"extra\": {\"type\": \"file\", \"directory\": \"" + directory.resolve("extra") + "\"}"
                : "";
        String extraSubscription = version.hasExtra() ? ", \"extra/#\": {\"qos\": 1, \"target\": \"extra\"}" : "";
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "reload"},
                 "targets": {"lake": %s, "moving": %s, "hot": %s, "warm": %s%s},
                 "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m", "timeout": "%ds"}},
                 "subscriptions": {"plant/#": {"qos": %d, "targets": ["lake", "hot", "warm"]},
                                   "other/#": {"qos": %d, "target": "%s"}%s}}""".formatted(
                        source,
                        lake.formatted(s3, "lake"),
                        lake.formatted(s3, version.prefix()),
                        target.formatted(stable, "hot", ""),
                        target.formatted(other, "warm", warm),
                        extra,
                        model,
                        version.timeout(),
                        version.qos(),
                        version.movingQos(),
                        version.valid() ? "moving" : "movign",
                        extraSubscription);
    }
    /** Publishes what the target that moves gets, until it is told to end; gives how many of each topic. */
    static CompletableFuture<Integer> publishToMoving(int port, BooleanSupplier goOn) {
        return CompletableFuture.supplyAsync(
                () -> new Generator(port, TOPICS, topic -> "other/" + topic, 2, 200).publishWhile(goOn, 100, RATE / 5));
    }

    static PlantlineProcess.Builder builder(Path directory) {
        return PlantlineProcess.in(directory)
                .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY)
                .environment("EDGE_DATA_DIR", directory.resolve("data").toString());
    }

    static PlantlineProcess start(Path directory, ConfigMapMount mount) {
        return builder(directory)
                .arguments("run", "--config", mount.file().toString())
                .start()
                .awaitSubscribed();
    }
}
