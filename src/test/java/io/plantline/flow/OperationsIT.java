package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Books;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.Collector;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.WireClient;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An operator's commands, to a running program and to the directory that it has left. */
class OperationsIT {
    @TempDir
    private Path directory;

    private Path data() {
        return directory.resolve("data");
    }

    /** Runs a command; returns what it prints. */
    private String say(int exitCode, String... words) {
        PlantlineProcess.Builder program =
                PlantlineProcess.in(directory).environment("EDGE_DATA_DIR", data().toString());
        try (PlantlineProcess process = program.arguments(words).start()) {
            int code = process.exitCode();
            assertThat(code).as(process.log()).isEqualTo(exitCode);
            return process.log();
        }
    }

    @Test
    void deadLettersAreSeenReplayedAndPurged() throws Exception {
        try (Artemis source = Artemis.start();
                WireClient publisher = WireClient.connect(source.port(), "p", 4, true);
                InferenceService service = InferenceService.start(request ->
                        new String(request.body()).startsWith("bad") ? Reply.status(422) : Reply.ok(request.body()))) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "dead"},
                     "data-directory": "%s",
                     "targets": {"lake": {"type": "file", "directory": "%s", "format": "raw", "processors": ["model"]}},
                     "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m"}},
                     "subscriptions": {"a/#": {"qos": 1, "target": "lake"}}}""".formatted(source.port(), data(), directory.resolve("lake"), service.url());
            PlantlineProcess plantline =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
            for (String payload : List.of("good 1", "bad 1", "good 2", "bad 2\n", "bad 3")) {
                publisher.publish("a/" + payload.charAt(0), 1, false, payload.getBytes());
            }
            String books = "lake: accepted 5 = delivered 2 + filtered 0 + dead-lettered 3 + waiting 0";
            await().until(() -> Books.of(data()).contains(books));
            assertThat(say(0, "outbox", "inspect")).containsPattern("lake +[0-9a-f]+ +\\d+ +0 +\\d+ +- +3 -");
            assertThat(say(0, "dlq", "list", "lake"))
                    .containsPattern(" 1 \\S+Z +process:model +\\S+ +5 a/b")
                    .containsPattern(" 3 \\S+Z +process:model +\\S+ +5 a/b");
            assertThat(say(0, "dlq", "show", "lake", "2"))
                    .contains("topic          a/b")
                    .containsPattern("reason         \\S+: .*422")
                    .containsPattern("configuration  [0-9a-f]{12}")
                    .doesNotContain("bad 2");
            assertThat(say(0, "dlq", "show", "lake", "2", "--raw")).isEqualTo("bad 2\n");
            assertThat(say(66, "dlq", "list", "laek")).contains("there is no target \"laek\"; there is: lake");
            strangersAreRefused();

            assertThat(say(0, "dlq", "purge", "lake", "--up-to", "1")).contains("1 dead letters of lake are gone");
            service.model(request -> Reply.ok(request.body()));
            assertThat(say(0, "dlq", "replay", "lake", "--up-to", "2"))
                    .contains("1 dead letters of lake are with lake now");
            await().until(() -> Books.of(data())
                    .contains("lake: accepted 6 = delivered 3 + filtered 0 + dead-lettered 3 + waiting 0"));
            assertThat(files()).contains("bad 2\n").doesNotContain("bad 1", "bad 3");
            assertThat(plantline.stop()).isIn(0, 143);
            assertThat(data().resolve("admin")).doesNotExist();
        }
        assertThat(say(0, "ledger"))
                .contains("lake: accepted 6 = delivered 3 + filtered 0 + dead-lettered 3 + waiting 0");
        assertThat(say(0, "dlq", "list", "lake")).containsPattern(" 3 \\S+Z +process:model");
        assertThat(say(66, "dlq", "replay", "lake")).contains("start it, and say it again");
        assertThat(say(0, "dlq", "purge", "lake")).contains("1 dead letters of lake are gone");
        assertThat(say(0, "outbox", "verify")).contains("lake: ").contains("all as written");
        damage();
        assertThat(say(1, "outbox", "verify")).contains("DAMAGED");
    }

    @Test
    void commandsByMutualTlsAreForHoldersOfACertificateAlone() throws Exception {
        Path tls = Files.createDirectories(directory.resolve("tls"));
        Certificates server = Certificates.make(directory, "server", "dns:localhost");
        Certificates operator = Certificates.make(directory, "operator", "dns:operator");
        Certificates stranger = Certificates.make(directory, "stranger", "dns:stranger");
        Files.copy(server.certificate(), tls.resolve("tls.crt"));
        Files.copy(server.key(), tls.resolve("tls.key"));
        Files.copy(operator.certificate(), tls.resolve("ca.crt"));
        int port = Ports.free();
        PlantlineProcess plantline = PlantlineProcess.in(directory)
                .environment("EDGE_ADMIN", "127.0.0.1:" + port)
                .environment("EDGE_ADMIN_TLS", tls.toString())
                .config("""
                        {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "admin"},
                         "targets": {"lake": {"type": "file", "directory": "%s"}},
                         "subscriptions": {"a/#": {"target": "lake"}}}""".formatted(Ports.free(), directory.resolve("lake")))
                .start()
                .await("commands are taken at");
        HttpRequest outboxes = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/outboxes"))
                .build();
        HttpClient allowed =
                HttpClient.newBuilder().sslContext(operator.server(server)).build();
        assertThat(allowed.send(outboxes, BodyHandlers.ofString()).body()).contains("\"lake\"");
        HttpClient refused =
                HttpClient.newBuilder().sslContext(stranger.server(server)).build();
        assertThatThrownBy(() -> refused.send(outboxes, BodyHandlers.ofString()))
                .isInstanceOf(IOException.class);

        Files.copy(stranger.certificate(), tls.resolve("ca.crt"), StandardCopyOption.REPLACE_EXISTING);
        plantline.await("ROTATED: the server of commands");
        HttpClient known =
                HttpClient.newBuilder().sslContext(stranger.server(server)).build();
        assertThat(known.send(outboxes, BodyHandlers.ofString()).body()).contains("\"lake\"");
        assertThat(plantline.stop()).isIn(0, 143);
    }

    private void strangersAreRefused() throws Exception {
        Path file = data().resolve("admin");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        URI uri = URI.create("http://127.0.0.1:" + Files.readAllLines(file).get(0) + "/outboxes");
        HttpClient client = HttpClient.newHttpClient();
        for (String token : List.of("", "Bearer ", "Bearer 0123456789")) {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri);
            if (!token.isEmpty()) {
                request.header("Authorization", token);
            }
            assertThat(client.send(request.build(), BodyHandlers.ofString()).statusCode())
                    .isEqualTo(401);
        }
    }

    private List<String> files() throws Exception {
        try (Stream<Path> files = Files.walk(directory.resolve("lake"))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> {
                        try {
                            return Files.readString(file);
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    })
                    .toList();
        }
    }

    private void damage() throws Exception {
        try (Stream<Path> files = Files.walk(data().resolve("targets"))) {
            Path log = files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
            try (RandomAccessFile bytes = new RandomAccessFile(log.toFile(), "rw")) {
                bytes.seek(60);
                int old = bytes.read();
                bytes.seek(60);
                bytes.write(old ^ 1);
            }
        }
    }

    @Test
    void whatAProgramHasLeftIsDeliveredWithoutASession() throws Exception {
        int port = Ports.free();
        try (Artemis source = Artemis.start()) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "drain"},
                     "data-directory": "%s",
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d}},
                     "subscriptions": {"a/#": {"qos": 1, "target": "other"}}}""".formatted(source.port(), data(), port);
            PlantlineProcess plantline =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
            try (WireClient publisher = WireClient.connect(source.port(), "p", 4, true)) {
                for (int i = 0; i < 50; i++) {
                    publisher.publish("a/1", 1, false, ("m" + i).getBytes());
                }
            }
            await().until(() -> Books.of(data()).contains("waiting 50"));
            Path config = Files.writeString(directory.resolve("drain.json"), document);
            assertThat(say(73, "outbox", "drain", "--config", config.toString()))
                    .contains("DATA-LOCKED");
            assertThat(plantline.kill()).isEqualTo(137);
            assertThat(say(75, "outbox", "drain", "--config", config.toString(), "--timeout", "1"))
                    .contains("TARGET-RETRY");
            try (Artemis target = Artemis.startSecured(port, null, null);
                    Collector collector = new Collector(target.port(), "#", 1)) {
                assertThat(say(0, "outbox", "drain", "--config", config.toString()))
                        .contains("other: accepted 50 = delivered 50 + filtered 0 + dead-lettered 0 + waiting 0");
                await().until(() -> collector.tally().altered() == 50);
            }
        }
    }

    @Test
    void aChangeOfTheDocumentIsSeenBeforeAndAfter() throws Exception {
        try (Artemis source = Artemis.start()) {
            String document = intoFiles(source.port());
            Path before = Files.writeString(directory.resolve("before.json"), document);
            String changed = document.replace("/lake\"", "/pond\"").replace("\"a/#\"", "\"b/#\"");
            Path after = Files.writeString(directory.resolve("after.json"), changed);
            assertThat(say(0, "diff", before.toString(), after.toString()))
                    .contains(
                            "~ target lake: another one by this name",
                            "+ subscription b/# (QoS 1) to lake",
                            "- subscription a/# (QoS 1) to lake");
            assertThat(say(0, "diff", before.toString(), before.toString()))
                    .contains("nothing in what runs is different");
            Path config = Files.writeString(directory.resolve("config.json"), document);
            PlantlineProcess plantline = start(config).awaitSubscribed();
            assertThat(say(0, "configuration")).containsPattern("generation +1").contains(config.toString());
            Files.writeString(config, changed);
            assertThat(say(0, "configuration", "--reload"))
                    .containsPattern("generation +2")
                    .contains("APPLIED", "+ subscription b/# (QoS 1) to lake");
            Files.writeString(config, "{");
            assertThat(say(78, "configuration", "--reload"))
                    .containsPattern("generation +2")
                    .contains("REFUSED", "not JSON");
            assertThat(plantline.stop()).isIn(0, 143);
            assertThat(say(66, "configuration")).contains("no program runs on");
        }
    }

    @Test
    void theDocumentThatRanLastIsUsedWhileTheNewOneIsGoneOrCannotRun() throws Exception {
        try (Artemis source = Artemis.start()) {
            String document = intoFiles(source.port());
            Path config = Files.writeString(directory.resolve("config.json"), document);
            assertThat(start(config).awaitSubscribed().stop()).isIn(0, 143);
            Files.delete(config);
            PlantlineProcess gone = start(config).awaitSubscribed();
            assertThat(gone.log()).contains("CONFIG-FALLBACK", "cannot be read");
            assertThat(gone.stop()).isIn(0, 143);
            Files.writeString(config, document.replace("\"lake\"}", "\"pond\"}"));
            PlantlineProcess wrong = start(config).awaitSubscribed();
            assertThat(wrong.log()).contains("CONFIG-FALLBACK", "cannot run");
            wrong.await("RELOAD-REFUSED").await("there is no target \"pond\"");
            Files.writeString(config, document.replace("a/#", "b/#"));
            wrong.await("RELOAD-APPLIED: generation 2");
            assertThat(wrong.stop()).isIn(0, 143);
        }
    }

    @Test
    void whatWaitsGoesElsewhereByCommand() throws Exception {
        try (Artemis source = Artemis.start();
                WireClient publisher = WireClient.connect(source.port(), "p", 4, true)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "elsewhere"},
                     "targets": {"gone": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d},
                                 "lake": {"type": "file", "directory": "%s"}},
                     "subscriptions": {"a/#": {"qos": 1, "target": "gone"}}}""".formatted(source.port(), Ports.free(), directory.resolve("lake"));
            Path config = Files.writeString(directory.resolve("config.json"), document);
            PlantlineProcess plantline = start(config).awaitSubscribed();
            for (int i = 0; i < 20; i++) {
                publisher.publish("a/1", 1, false, ("m" + i).getBytes());
            }
            await().until(() -> Books.of(data()).contains("gone: accepted 20"));
            assertThat(say(66, "outbox", "retarget", "gone", "--to", "pond")).contains("there is no target \"pond\"");
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                say(0, "outbox", "retarget", "gone", "--to", "lake", "--tried");
                return Books.of(data()).contains("lake: accepted 20 = delivered 20");
            });
            assertThat(say(0, "ledger")).containsPattern("gone: accepted 20 = .*purged 20 .*waiting 0");
            publisher.publish("a/1", 1, false, "m20".getBytes());
            await().until(() -> Books.of(data()).contains("gone: accepted 21"));
            assertThat(say(64, "outbox", "purge", "gone", "--tried")).contains("say --yes");
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                say(0, "outbox", "purge", "gone", "--tried", "--yes");
                return Books.of(data()).contains("purged 21");
            });
            assertThat(plantline.stop()).isIn(0, 143);
        }
    }

    private String intoFiles(int port) {
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "files"},
                 "targets": {"lake": {"type": "file", "directory": "%s"}},
                 "subscriptions": {"a/#": {"qos": 1, "target": "lake"}}}""".formatted(port, directory.resolve("lake"));
    }

    private PlantlineProcess start(Path config) {
        return PlantlineProcess.in(directory)
                .environment("EDGE_DATA_DIR", data().toString())
                .arguments("run", "--config", config.toString())
                .start();
    }

    @Test
    void whatWaitsForATargetThatWasChangedGoesWhereItWasMeantToGo() throws Exception {
        int port = Ports.free();
        try (Artemis source = Artemis.start();
                WireClient publisher = WireClient.connect(source.port(), "p", 4, true);
                InferenceService model = InferenceService.start(request -> Reply.ok(request.body()))) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "former"},
                     "data-directory": "%s",
                     "targets": {"other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d,
                                           "topic": "old/{topic}", "processors": ["model"]}},
                     "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m"}},
                     "subscriptions": {"a/#": {"qos": 2, "target": "other"}}}""".formatted(source.port(), data(), port, model.url());
            PlantlineProcess before =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed();
            for (int i = 0; i < 50; i++) {
                publisher.publish("a/1", 2, false, ("m" + i).getBytes());
            }
            await().until(() -> Books.of(data()).contains("other: accepted 50"));
            assertThat(before.stop()).isIn(0, 143);

            String changed =
                    document.replace("old/{topic}", "new/{topic}").replace(", \"processors\": [\"model\"]", "");
            PlantlineProcess after =
                    PlantlineProcess.in(directory).config(changed).start().awaitSubscribed();
            assertThat(after.log()).contains("OUTBOX-FORMER: other-");
            for (int i = 50; i < 60; i++) {
                publisher.publish("a/1", 2, false, ("m" + i).getBytes());
            }
            await().until(() -> Books.of(data()).contains("other: accepted 10"));
            assertThat(say(0, "ledger")).containsPattern("other-[0-9a-f]{12}: accepted 50 .* waiting 50");
            List<String> topics = new CopyOnWriteArrayList<>();
            try (Artemis target = Artemis.startSecured(port, null, null);
                    Collector collector = new Collector(target.port(), "#", 1).also(m -> topics.add(m.topic()))) {
                after.await("OUTBOX-DRAINED");
                await().until(() -> topics.size() == 60);
                assertThat(topics.stream().filter("old/a/1"::equals)).hasSize(50);
                assertThat(topics.stream().filter("new/a/1"::equals)).hasSize(10);
                assertThat(model.requests())
                        .as("what was for the model went through it, and once")
                        .hasSize(50);
                await().until(() -> Books.of(data())
                        .equals("other: accepted 10 = delivered 10 + filtered 0 + dead-lettered 0 + waiting 0\n"));
                try (Stream<Path> folders = Files.list(data().resolve("targets"))) {
                    assertThat(folders).hasSize(1);
                }
                assertThat(after.stop()).isIn(0, 143);
            }
        }
    }
}
