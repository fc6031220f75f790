package io.plantline.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Mosquitto, as the system has it installed, as a process of its own. */
public final class Mosquitto implements AutoCloseable {
    private final Path directory;
    private final int port;
    private final List<String> settings;
    private Process process;

    private Mosquitto(Path directory, int port, List<String> settings) {
        this.directory = directory;
        this.port = port;
        this.settings = settings;
    }

    /** Skips the calling test, and says so, where Mosquitto is not installed. */
    public static void assumeInstalled() {
        Assumptions.assumeTrue(isInstalled(), "SKIPPED: mosquitto is not installed (apt-get install mosquitto)");
    }

    public static boolean isInstalled() {
        return binary() != null;
    }

    private static String binary() {
        for (String path : List.of("/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto")) {
            if (Files.isExecutable(Path.of(path))) {
                return path;
            }
        }
        return null;
    }

    /** Starts a broker without authentication; {@code settings} are lines of its configuration. */
    public static Mosquitto start(Path directory, String... settings) throws IOException {
        return startOn(Ports.free(), directory, settings);
    }

    public static Mosquitto startOn(int port, Path directory, String... settings) throws IOException {
        Mosquitto broker = new Mosquitto(Files.createDirectories(directory), port, List.of(settings));
        broker.start();
        return broker;
    }

    public void start() throws IOException {
        StringBuilder text = new StringBuilder();
        boolean listener = settings.stream().anyMatch(line -> line.startsWith("listener"));
        if (!listener) {
            text.append("listener ").append(port).append(" 127.0.0.1\n");
        }
        if (settings.stream()
                .noneMatch(line -> line.startsWith("allow_anonymous") || line.startsWith("password_file"))) {
            text.append("allow_anonymous true\n");
        }
        if (settings.stream().noneMatch(line -> line.startsWith("max_queued_messages"))) {
            text.append("max_queued_messages 0\n");
        }
        text.append("user root\n");
        settings.forEach(line -> text.append(line).append('\n'));
        Path config = directory.resolve("mosquitto-" + port + ".conf");
        Files.writeString(config, text);
        process = new ProcessBuilder(binary(), "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("mosquitto-" + port + ".log").toFile())
                .start();
        Ports.awaitListening(port);
        if (!process.isAlive()) {
            throw new IOException("mosquitto did not start, see " + directory);
        }
    }

    public int port() {
        return port;
    }

    public long pid() {
        return process.pid();
    }

    /** SIGTERM, and the end. */
    public void stop() {
        end(process::destroy);
    }

    /** SIGKILL. */
    public void kill() {
        end(process::destroyForcibly);
    }

    private void end(Runnable how) {
        how.run();
        try {
            process.waitFor(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (process != null && process.isAlive()) {
            kill();
        }
    }
}
