package io.plantline.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** Builds the jar of a third party's target, against the packaged program alone. */
public final class PluginJar {
    private static final Path SOURCES = Path.of("src/test/plugin");

    private PluginJar() {}

    /**
     * Compiles a factory and packs it with its service file.
     *
     * @param plugins the folder that gets the jar; made if it is not there
     * @param factory class name of the target factory
     */
    public static Path build(Path plugins, String factory) throws IOException {
        Path jar = Files.createDirectories(plugins).resolve(factory + ".jar");
        Path classes = Files.createTempDirectory(plugins.getParent(), "classes");
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
                        SOURCES.resolve(factory.replace('.', '/') + ".java").toString());
        if (result != 0) {
            throw new IllegalStateException("the plug-in does not compile");
        }
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                entries.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                Files.copy(file, entries);
            }
            entries.putNextEntry(new JarEntry("META-INF/services/io.plantline.spi.TargetFactory"));
            entries.write((factory + "\n").getBytes());
        }
        return jar;
    }
}
