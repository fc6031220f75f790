package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Artemis;
import io.plantline.testkit.PlantlineProcess;
import io.plantline.testkit.WireClient;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A jar of somebody else's adds a target type; it is compiled here against the packaged program alone. */
class ThirdPartyPluginIT {
    private static final Path SOURCE = Path.of("src/test/plugin/com/example/shout/ShoutTargetFactory.java");

    @TempDir
    private Path directory;

    @Test
    void aJarInPluginsAddsATargetType() throws Exception {
        Path plugins = Files.createDirectories(directory.resolve("plugins"));
        buildJar(plugins.resolve("shout.jar"));
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

    private void buildJar(Path jar) throws Exception {
        Path classes = Files.createDirectories(directory.resolve("classes"));
        int result = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "--release",
                        "17",
                        "-proc:none",
                        "-d",
                        classes.toString(),
                        "-cp",
                        PlantlineProcess.jar().toString(),
                        SOURCE.toString());
        assertThat(result).isZero();
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                java.util.stream.Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                entries.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                Files.copy(file, entries);
            }
            entries.putNextEntry(new JarEntry("META-INF/services/io.plantline.spi.TargetFactory"));
            entries.write("com.example.shout.ShoutTargetFactory\n".getBytes());
        }
        assertThat(List.of(jar)).allMatch(Files::exists);
    }
}
