package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.PlantlineProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line of the packaged program. */
class CommandLineIT {
    @TempDir
    private Path directory;

    private PlantlineProcess run(String... arguments) {
        return PlantlineProcess.in(directory).arguments(arguments).start();
    }

    @Test
    void tenMistakesAreTenErrorsEachWithItsPlaceAndAHint() throws Exception {
        Path file = Files.writeString(directory.resolve("ten.json"), """
                {
                  "mqtt-broker": {
                    "addresses": ["broker:1883"],
                    "client-id": "x",
                    "keep-alive": "15 seconds"
                  },
                  "targets": {
                    "lake": {
                      "type": "s3",
                      "s3-buket": "b",
                      "s3-bucket": "bucket",
                      "event-type": "singel"
                    },
                    "bad type": {"type": "file", "directory": "d"},
                    "other": {"type": "mqt"},
                    "broker": {"type": "mqtt"},
                    "copy": {"type": "mqtt", "mqtt-broker-host": "h", "mqtt-broker-port": "1883", "topic": "a/+"}
                  },
                  "processors": {
                    "model": {"type": "remote", "base-url": "not a url", "processor-id": "p"}
                  },
                  "subscriptions": {
                    "a/#/b": {"target": "lake"},
                    "c/d": {"qos": 3, "target": "lake"},
                    "e/f": {"target": "laek"}
                  }
                }
                """);
        try (PlantlineProcess process = run("validate", file.toString())) {
            assertThat(process.exitCode()).isEqualTo(78);
            assertThat(process.log())
                    .contains("error /mqtt-broker/keep-alive (line 5): \"15 seconds\" does not fit")
                    .contains(
                            "error /targets/lake/s3-buket (line 10): unknown key \"s3-buket\"; did you mean \"s3-bucket\"?")
                    .contains(
                            "error /targets/lake/event-type (line 12): \"singel\" is not allowed; did you mean \"single\"?")
                    .contains("error /targets (line 7): \"bad type\" is no name: a name of at most 63")
                    .contains("error /targets/other/type (line 15): \"mqt\" is not allowed; did you mean \"mqtt\"?")
                    .contains("error /targets/broker (line 16): the key \"mqtt-broker-host\" is missing")
                    .contains("error /targets/copy/mqtt-broker-port (line 17): \"1883\" is a string, expected integer")
                    .contains("error /processors/model/base-url (line 20): \"not a url\" is not an absolute URI")
                    .contains("error /subscriptions/a~1#~1b (line 23): \"a/#/b\" is not a topic filter; # stands alone")
                    .contains("error /subscriptions/c~1d/qos (line 24): 3 is not allowed; allowed: 0, 1, 2")
                    .contains(
                            "error /subscriptions/e~1f/target (line 25): there is no target \"laek\"; did you mean \"lake\"?")
                    .contains("11 errors");
        }
    }

    @Test
    void exitCodesSayWhatWasWrong() throws Exception {
        Path good = Files.writeString(directory.resolve("good.json"), """
                {"mqtt-broker": {"addresses": ["broker:8883"], "client-id": "x", "tls": {}},
                 "targets": {"t": {"type": "file", "directory": "out", "event-type": "batch"}},
                 "subscriptions": {"a/#": {"target": "t"}}}""");
        try (PlantlineProcess process = run("validate", good.toString())) {
            assertThat(process.exitCode()).isZero();
            assertThat(process.log()).contains("is valid: 1 subscriptions, 1 targets, 0 processors");
        }
        try (PlantlineProcess process = run("validate", "nowhere.json")) {
            assertThat(process.exitCode()).isEqualTo(66);
        }
        try (PlantlineProcess process = run("run")) {
            assertThat(process.exitCode()).isEqualTo(66);
            assertThat(process.log()).contains("EDGE_SUBSCRIPTION_CONFIG");
        }
        try (PlantlineProcess process = run("fly")) {
            assertThat(process.exitCode()).isEqualTo(64);
        }
        try (PlantlineProcess process = run("version")) {
            assertThat(process.exitCode()).isZero();
            assertThat(process.log()).contains("plantline 0.");
        }
    }

    @Test
    void theSchemaAndTheReferenceAreWhatTheProgramPrints() throws Exception {
        try (PlantlineProcess process = run("schema")) {
            assertThat(process.exitCode()).isZero();
            assertThat(process.log()).isEqualTo(Files.readString(Path.of("conf/plantline.schema.json")));
        }
        try (PlantlineProcess process = run("schema", "--markdown")) {
            assertThat(process.exitCode()).isZero();
            assertThat(process.log()).isEqualTo(Files.readString(Path.of("docs/config-reference.md")));
        }
    }

    @Test
    void aSignalEndsItWithinTwentySecondsEvenIfATargetIsDown() throws Exception {
        try (Artemis source = Artemis.start();
                io.plantline.testkit.WireClient publisher =
                        io.plantline.testkit.WireClient.connect(source.port(), "p", 4, true)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "stop"},
                     "targets": {"down": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d}},
                     "subscriptions": {"a/#": {"qos": 1, "target": "down"}}}""".formatted(source.port(), io.plantline.testkit.Ports.free());
            try (PlantlineProcess plantline =
                    PlantlineProcess.in(directory).config(document).start().awaitSubscribed()) {
                publisher.publish("a/1", 1, false, "kept by the broker".getBytes());
                plantline.await("TARGET-RETRY: down fails");
                long start = System.nanoTime();
                assertThat(plantline.stop()).isIn(0, 143);
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
                assertThat(plantline.log())
                        .contains("ledger down: accepted 1 = delivered 0 + filtered 0 + dead-lettered 0 + waiting 1")
                        .doesNotContain("kept by the broker");
            }
        }
    }
}
