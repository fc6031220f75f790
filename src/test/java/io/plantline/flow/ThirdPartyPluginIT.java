package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.PluginJar;
import io.plantline.testkit.WireClient;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A jar of somebody else's adds a target type; it is compiled here against the packaged program alone. */
class ThirdPartyPluginIT {
    @TempDir
    private Path directory;

    @Test
    void aJarInPluginsAddsATargetType() throws Exception {
        Path plugins = directory.resolve("plugins");
        PluginJar.build(plugins, "com.example.shout.ShoutTargetFactory");
        try (Artemis source = Artemis.start();
                WireClient publisher = WireClient.connect(source.port(), "p", 4, true)) {
            String document = """
                    {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "plugin"},
                     "targets": {"loud": {"type": "shout", "suffix": "!"}},
                     "subscriptions": {"a/#": {"qos": 1, "target": "loud"}}}""".formatted(source.port());
            PlantlineProcess.Builder program =
                    PlantlineProcess.in(directory).config(document).arguments("--plugins", plugins.toString());
            try (PlantlineProcess plantline = program.start().awaitSubscribed()) {
                publisher.publish("a/1", 1, false, "hello".getBytes());
                plantline.await("HELLO!");
                plantline.stop();
                assertThat(plantline.log()).contains("ledger loud: accepted 1 = delivered 1");
            }
        }
    }
}
