package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.Ports;
import io.plantline.testkit.WireClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Kubernetes and Prometheus ask of a running program, and the alerts that are made of the answers. */
class ProbesIT {
    private static final Path ALERTS = Path.of("k8s", "monitoring");
    private static final Path DASHBOARD = ALERTS.resolve("dashboard.json");

    @TempDir
    private Path directory;

    private final int port = Ports.free();
    private final HttpClient client = HttpClient.newHttpClient();

    private HttpResponse<String> get(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(10))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private double metric(String line) throws Exception {
        Matcher found = Pattern.compile("(?m)^" + Pattern.quote(line) + " (\\S+)$")
                .matcher(get("/metrics").body());
        assertThat(found.find()).as(line + " in\n" + get("/metrics").body()).isTrue();
        return found.group(1).equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(found.group(1));
    }

    @Test
    void probesAndMetricsSayHowTheProgramIs() throws Exception {
        Certificates certificate = Certificates.make(directory, "ca", "dns:localhost");
        Artemis broker = Artemis.start();
        String document =
                """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "probes", "reconnect-max": "1s"},
                 "targets": {"lake": {"type": "file", "directory": "%s"},
                             "gone": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d,
                                      "tls": {"ca": "%s"}}},
                 "subscriptions": {"a/#": {"qos": 1, "target": "lake"}, "b/#": {"qos": 1, "target": "gone"}}}""".formatted(broker.port(), directory.resolve("lake"), Ports.free(), certificate.certificate());
        Path config = Files.writeString(directory.resolve("config.json"), document);
        try (PlantlineProcess plantline = PlantlineProcess.in(directory)
                        .environment("EDGE_DATA_DIR", directory.resolve("data").toString())
                        .environment("EDGE_HTTP", "127.0.0.1:" + port)
                        .arguments("run", "--config", config.toString())
                        .start()
                        .awaitSubscribed();
                WireClient publisher = WireClient.connect(broker.port(), "p", 4, true)) {
            for (int i = 0; i < 20; i++) {
                publisher.publish("a/1", 1, false, ("m" + i).getBytes());
                publisher.publish("b/1", 1, false, ("m" + i).getBytes());
            }
            await().until(() -> get("/startupz").statusCode() == 200);
            for (String probe : List.of("/livez", "/startupz", "/readyz")) {
                HttpResponse<String> answer = get(probe);
                assertThat(answer.body()).as(probe).isEqualTo("ok\n");
                assertThat(answer.statusCode()).isEqualTo(200);
            }
            assertThat(get("/outboxes").statusCode()).isEqualTo(404);
            await().until(() -> metric("plantline_messages_total{fate=\"delivered\",target=\"lake\"}") == 20);
            assertThat(metric("plantline_messages_waiting{target=\"gone\"}")).isEqualTo(20);
            assertThat(metric("plantline_mqtt_received_total")).isEqualTo(40);
            assertThat(metric("plantline_mqtt_session_up{state=\"SUBSCRIBED\"}"))
                    .isEqualTo(1);
            assertThat(metric("plantline_configuration_generation")).isEqualTo(1);
            assertThat(metric("plantline_outbox_full_seconds{target=\"lake\"}")).isPositive();
            assertThat(metric("plantline_certificate_expiry_timestamp_seconds{file=\"" + certificate.certificate()
                            + "\"}"))
                    .isBetween(System.currentTimeMillis() / 1e3, System.currentTimeMillis() / 1e3 + 3 * 86_400);
            assertThat(metric("plantline_publish_seconds_count{target=\"lake\"}"))
                    .isPositive();
            await().until(() -> metric("plantline_target_retries_total{target=\"gone\"}") > 0);
            everyNameInAlertsAndDashboardIsThere(get("/metrics").body());
            checkedByPrometheus(get("/metrics").body());

            Files.writeString(config, "{");
            await().until(() -> metric("plantline_configuration_refused") == 1);
            broker.close();
            await().until(() -> get("/readyz").statusCode() == 503);
            assertThat(get("/readyz").body()).startsWith("session ");
            assertThat(get("/livez").statusCode())
                    .as("a restart would not help")
                    .isEqualTo(200);
            broker.startAgain();
            await().atMost(Duration.ofSeconds(20)).until(() -> get("/readyz").statusCode() == 200);
            assertThat(plantline.stop()).isIn(0, 143);
        } finally {
            broker.close();
        }
    }

    private static void everyNameInAlertsAndDashboardIsThere(String metrics) throws IOException {
        Set<String> missing = new TreeSet<>();
        Matcher names = Pattern.compile("plantline_[a-z0-9_]+")
                .matcher(Files.readString(ALERTS.resolve("alerts.yaml")) + Files.readString(DASHBOARD));
        while (names.find()) {
            if (!Pattern.compile("(?m)^" + names.group() + "[{ ]")
                    .matcher(metrics)
                    .find()) {
                missing.add(names.group());
            }
        }
        assertThat(missing).isEmpty();
    }

    private void checkedByPrometheus(String metrics) throws Exception {
        if (Files.isExecutable(Path.of("/usr/bin/promtool"))) {
            Path text = Files.writeString(directory.resolve("metrics.txt"), metrics);
            Process check = new ProcessBuilder("promtool", "check", "metrics")
                    .redirectInput(text.toFile())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(check.getInputStream().readAllBytes());
            // 3: it is well-formed, and somebody would have named some of the JVM's otherwise.
            assertThat(check.waitFor()).as(said).isIn(0, 3);
            assertThat(said.lines().filter(line -> line.startsWith("plantline_")))
                    .isEmpty();
        }
    }

    @Test
    void everyAlertFiresWhenItShouldAndNoneOnAHealthyDay() throws Exception {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/promtool")),
                "SKIPPED: promtool is not installed (apt-get install prometheus)");
        Process rules = new ProcessBuilder("promtool", "test", "rules", "alerts-test.yaml")
                .directory(ALERTS.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(rules.getInputStream().readAllBytes());
        assertThat(rules.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(rules.exitValue()).as(said).isZero();
        Set<String> tested = names(Files.readString(ALERTS.resolve("alerts-test.yaml")), "alertname=\"(\\w+)\"");
        assertThat(tested).isEqualTo(names(Files.readString(ALERTS.resolve("alerts.yaml")), "- alert: (\\w+)"));
    }

    private static Set<String> names(String text, String pattern) {
        Set<String> names = new TreeSet<>();
        Matcher found = Pattern.compile(pattern).matcher(text);
        while (found.find()) {
            names.add(found.group(1));
        }
        return names;
    }
}
