package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.PluginJar;
import io.plantline.testkit.WireClient;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A plug-in that blocks. On a worker it harms nobody; on the event loop it is found out. */
class EventLoopIT {
    @TempDir
    private Path directory;

    private PlantlineProcess run(int port, boolean onEventLoop) throws Exception {
        Path plugins = directory.resolve("plugins");
        PluginJar.build(plugins, "com.example.sleepy.SleepyTargetFactory");
        return PlantlineProcess.in(directory)
                .config("""
                        {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "sleepy", "keep-alive": "2s"},
                         "targets": {"t": {"type": "sleepy", "on-event-loop": %s}},
                         "subscriptions": {"a/#": {"qos": 1, "target": "t"}}}""".formatted(port, onEventLoop))
                .arguments("--plugins", plugins.toString())
                .start()
                .awaitSubscribed();
    }

    private static void send(int port) throws Exception {
        try (WireClient publisher = WireClient.connect(port, "p", 4, true)) {
            for (String payload : List.of("1", "2")) {
                publisher.publish("a/1", 1, false, payload.getBytes());
            }
        }
    }

    @Test
    void aBlockedWorkerDoesNotDisturbTheSession() throws Exception {
        try (Artemis source = Artemis.start();
                PlantlineProcess plantline = run(source.port(), false)) {
            send(source.port());
            plantline.await("slept well");
            plantline.stop();
            assertThat(plantline.log())
                    .containsPattern("ledger t: accepted ([12]) = delivered \\1")
                    .doesNotContain("MQTT-DISCONNECTED")
                    .doesNotContain("blocked");
        }
    }

    @Test
    void aBlockedEventLoopRaisesAnAlarm() throws Exception {
        try (Artemis source = Artemis.start();
                PlantlineProcess plantline = run(source.port(), true)) {
            send(source.port());
            plantline.await("has been blocked for");
            plantline.stop();
            assertThat(plantline.log()).containsPattern("ledger t: accepted ([12]) = delivered \\1");
        }
    }
}
