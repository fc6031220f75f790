package io.plantline.flow;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.FakeSecretsManager;
import io.plantline.testkit.Generator;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Stamp;
import io.plantline.testkit.Tally;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/**
 * The reference configuration, byte for byte, with the environment of the reference manifest. Runs in a network and
 * mount namespace of its own, because the configuration names 127.0.0.1:1883 and a host of the cluster's.
 */
public final class ReferenceScenario {
    private static final int SOURCE_PORT = 1884;
    private static final int TARGET_PORT = 1883;
    private static final int MACHINES = 5;
    private static final String USER = "edge";
    private static final String PASSWORD = "canary-5f1c";

    private final Path directory;
    private final String brokers;
    private final int perTopic;

    private ReferenceScenario(Path directory, String brokers, int perTopic) {
        this.directory = directory;
        this.brokers = brokers;
        this.perTopic = perTopic;
    }

    /** Arguments: a folder, {@code artemis} or {@code mosquitto}, and messages per topic and QoS. */
    public static void main(String[] arguments) throws Exception {
        new ReferenceScenario(Path.of(arguments[0]), arguments[1], Integer.parseInt(arguments[2])).run();
        System.out.println("SCENARIO-PASSED");
        System.exit(0);
    }

    private void run() throws Exception {
        try (AutoCloseable source = broker(SOURCE_PORT);
                AutoCloseable target = broker(TARGET_PORT);
                S3Server lake = S3Server.start();
                FakeSecretsManager secrets = FakeSecretsManager.start().secret("mqtt-credential", USER, PASSWORD);
                InferenceService model = InferenceService.startOn(8000, this::infer)) {
            lake.createBucket("sample-bucket");
            PlantlineProcess.Builder program = PlantlineProcess.in(directory)
                    .environment("EDGE_BROKER_HOST", "127.0.0.1")
                    .environment("EDGE_MQTT_PORT", Integer.toString(SOURCE_PORT))
                    .environment("EDGE_SUBSCRIPTION_CONFIG", Files.readString(Path.of("conf/reference.json")))
                    .environment("EDGE_CLIENT_ID", "reference")
                    .environment("AWS_ENDPOINT_URL_S3", lake.uri().toString())
                    .environment(
                            "AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.uri().toString())
                    .environment("AWS_REGION", "us-east-1")
                    .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                    .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
            try (PlantlineProcess plantline = program.start().awaitSubscribed();
                    Collector answers = new Collector(TARGET_PORT, "#", 1, USER, PASSWORD)) {
                for (int qos = 0; qos <= 2; qos++) {
                    publish(qos);
                }
                int expected = 3 * perTopic * MACHINES;
                await("answers", () -> answers.tally().distinct() >= expected);
                await("objects", () -> lake.keys("sample-bucket").size() >= 2 * expected);
                verifyAnswers(answers.tally(), model);
                verifyLake(lake, expected);
                check(plantline.stop() == 143 || plantline.stop() == 0, "exit code");
                check(plantline.log().contains(balanced("mqtt-target", expected)), "ledger of mqtt-target");
                check(plantline.log().contains(balanced("s3-target", 2 * expected)), "ledger of s3-target");
                check(!plantline.log().contains(PASSWORD), "no secret in the log");
                check(secrets.requests() == 1, "one request for a secret that two sections name");
            } catch (Exception | AssertionError e) {
                try (java.util.stream.Stream<Path> logs = Files.list(directory)) {
                    for (Path log :
                            logs.filter(p -> p.toString().endsWith(".log")).toList()) {
                        System.out.println("---- " + log + "\n" + Files.readString(log));
                    }
                }
                throw e;
            }
        }
    }

    private static String balanced(String target, int messages) {
        return target + ": accepted " + messages + " = delivered " + messages;
    }

    private AutoCloseable broker(int port) throws Exception {
        if (brokers.equals("artemis")) {
            return Artemis.startSecured(port, USER, PASSWORD);
        }
        Path passwords = directory.resolve("passwords");
        if (!Files.exists(passwords)) {
            Process process = new ProcessBuilder("mosquitto_passwd", "-b", "-c", passwords.toString(), USER, PASSWORD)
                    .inheritIO()
                    .start();
            check(process.waitFor() == 0, "mosquitto_passwd");
        }
        return Mosquitto.startOn(port, directory, "password_file " + passwords, "allow_anonymous false");
    }

    /**
     * Topics 0 to 4 are Message1 of area 1, 5 to 9 Message2 of area 1, 10 to 14 Message1 of area 2; the next 15 are the
     * same topics with the next QoS, because MQTT orders messages of one QoS only.
     */
    private static String topic(int index) {
        String machine = "machine" + index % MACHINES;
        return switch (index / MACHINES % 3) {
            case 0 -> "com1/plant1/area1/" + machine + "/Message1";
            case 1 -> "com1/plant1/area1/" + machine + "/Message2";
            default -> "com1/plant1/area2/" + machine + "/Message1";
        };
    }

    private void publish(int qos) throws Exception {
        new Generator(SOURCE_PORT, 3 * MACHINES, ReferenceScenario::topic, qos, 240)
                .as(USER, PASSWORD)
                .topicsFrom(qos * 3 * MACHINES)
                .publish(3 * MACHINES * perTopic, 0, 15, qos == 0 ? 2000 : 0);
    }

    /** A model that answers with a stamp of its own, so that the answer can be told from the question. */
    private InferenceService.Reply infer(InferenceService.Request request) {
        Stamp stamp = Stamp.of(request.body());
        if (!request.path().equals("/api/v1/inference-model-1")
                || !request.topic().equals(topic(stamp.topic()))
                || !"application/json".equals(request.contentType())) {
            return InferenceService.Reply.status(400);
        }
        return InferenceService.Reply.ok(
                new Stamp(stamp.topic() + 1000, stamp.sequence(), stamp.sentNanos()).payload(request.body().length));
    }

    private void verifyAnswers(Tally answers, InferenceService model) {
        System.out.println("answers: " + answers);
        check(answers.distinct() == 3L * perTopic * MACHINES, "no answer missing");
        check(answers.duplicates() == 0, "no answer twice");
        check(answers.altered() == 0, "no answer altered");
        check(answers.inversions() == 0, "answers in order, per topic");
        check(model.requests().size() == 3 * perTopic * MACHINES, "one call per message");
    }

    private void verifyLake(S3Server lake, int expected) throws Exception {
        Path copies = Files.createDirectories(directory.resolve("lake"));
        int number = 0;
        Tally rows = new Tally();
        Set<String> ids = new TreeSet<>();
        for (String key : lake.keys("sample-bucket")) {
            check(key.startsWith("sample-key/com1/plant1/area1/machine"), "key " + key);
            check(
                    key.matches(
                            ".*/dt=\\d{4}-\\d\\d-\\d\\d/hour=\\d\\d/sample-obj-[0-9a-f]{24}-0-\\d{19}-\\d{19}-0.parquet"),
                    key);
            Files.write(copies.resolve("%08d.parquet".formatted(number++)), lake.get("sample-bucket", key));
        }
        for (ParquetRows.Row row : ParquetRows.read(copies + "/*.parquet")) {
            Stamp stamp = Stamp.of(row.payload());
            check(row.topic().equals(topic(stamp.topic())), "topic of a row");
            check(row.qos() == stamp.topic() / (3 * MACHINES), "QoS of a row");
            ids.add(row.messageId());
            rows.add(row.payload());
        }
        check(number == rows.total(), "a message per object");
        System.out.println("rows: " + rows);
        check(rows.total() == 2L * expected && rows.distinct() == 2L * expected, "every message once in the lake");
        check(rows.altered() == 0, "no row altered");
        check(rows.inversions() == 0, "rows in order of their objects' names, per topic");
        check(ids.size() == 2 * expected, "message ids are unique");
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(String what, Condition condition) {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!condition.holds()) {
            check(System.nanoTime() < end, "in time: " + what);
            LockSupport.parkNanos(50_000_000);
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not so: " + what);
        }
    }
}
