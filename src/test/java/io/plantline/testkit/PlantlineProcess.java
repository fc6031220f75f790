package io.plantline.testkit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The packaged program as a process of its own; or the image, where {@code plantline.image} names one. */
public final class PlantlineProcess implements AutoCloseable {
    private static final Optional<String> IMAGE = Optional.ofNullable(System.getProperty("plantline.image"));

    private final Process process;
    private final Path log;
    private final Optional<Container> container;

    private PlantlineProcess(Process process, Path log, Optional<Container> container) {
        this.process = process;
        this.log = log;
        this.container = container;
    }

    /** The jar that the build made. */
    public static Path jar() {
        return Path.of(System.getProperty("plantline.jar", "target/plantline.jar"));
    }

    /** Starts a description of a process. */
    public static final class Builder {
        private static final String QUICK = "-XX:TieredStopAtLevel=1";

        private final Path directory;
        private final Map<String, String> environment = new HashMap<>();
        private final List<String> jvm = new ArrayList<>(List.of("-Xmx128m", "-XX:+UseSerialGC", QUICK));
        private final List<String> arguments = new ArrayList<>();
        private List<String> program = List.of("-jar", jar().toAbsolutePath().toString());
        private boolean trained = true;

        private Builder(Path directory) {
            this.directory = directory;
        }

        public Builder environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        public Builder jvm(String option) {
            jvm.add(option);
            return this;
        }

        public Builder arguments(String... more) {
            arguments.addAll(List.of(more));
            return this;
        }

        /** As users run it: as docs/operations.md says, and without what others have learnt of its classes. */
        public Builder asShipped() {
            jvm.remove(QUICK);
            jvm.add("-XX:TrimNativeHeapInterval=5000");
            return untrained();
        }

        /** Without what others have learnt of its classes. */
        Builder untrained() {
            trained = false;
            return this;
        }

        /** Another main class of the tests, on the program's jar; it logs as the program does. */
        public Builder main(Class<?> other) {
            // The jar first: a class archive is for a class path that begins as this one does.
            String classPath = jar().toAbsolutePath()
                    + File.pathSeparator
                    + other.getProtectionDomain().getCodeSource().getLocation().getPath();
            program = List.of("-Dlogback.configurationFile=logback.xml", "-cp", classPath, other.getName());
            return this;
        }

        /** {@code run --config} with this document. */
        public Builder config(String document) {
            try {
                Path file = Files.writeString(Files.createTempFile(directory, "config", ".json"), document);
                return arguments("run", "--config", file.toString());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        public PlantlineProcess start() {
            Optional<Container> container = IMAGE.map(image -> Container.of(image, directory, environment.keySet()));
            List<String> command =
                    new ArrayList<>(container.map(Container::command).orElseGet(this::java));
            command.addAll(arguments);
            try {
                Path log = Files.createTempFile(directory, "plantline", ".log");
                ProcessBuilder builder = new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile());
                builder.environment().putAll(environment);
                Process started = builder.start();
                // A test that fails shall leave nothing running.
                PlantlineProcess process = new PlantlineProcess(started, log, container);
                Runtime.getRuntime().addShutdownHook(new Thread(process::close));
                return process;
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        private List<String> java() {
            List<String> command = new ArrayList<>();
            command.add(ProcessHandle.current().info().command().orElse("java"));
            command.addAll(jvm);
            if (trained) {
                command.addAll(ClassArchive.options());
            }
            command.addAll(program);
            return command;
        }
    }

    public static Builder in(Path directory) {
        return new Builder(directory);
    }

    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "";
        }
    }

    /** Returns when the log holds {@code text}; throws, with the log, if it does not within thirty seconds. */
    public PlantlineProcess await(String text) {
        long end = System.nanoTime() + 30_000_000_000L;
        while (!log().contains(text)) {
            if (System.nanoTime() > end || !process.isAlive() && !log().contains(text)) {
                throw new IllegalStateException("no \"" + text + "\" "
                        + (process.isAlive() ? "yet" : "before exit " + process.exitValue()) + " in:\n" + log());
            }
            LockSupport.parkNanos(10_000_000);
        }
        return this;
    }

    public PlantlineProcess awaitSubscribed() {
        return await("subscribed at ");
    }

    public long pid() {
        return process.pid();
    }

    /** Megabytes it has resident now. */
    public long residentMegabytes() {
        return memory("VmRSS:");
    }

    /** Megabytes it had resident at most. */
    public long peakMegabytes() {
        return memory("VmHWM:");
    }

    private long memory(String name) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid() + "/status")).stream()
                            .filter(line -> line.startsWith(name))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                            .findFirst()
                            .orElseThrow()
                    / 1024;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is on the heap and used, after a collection. */
    public long liveMegabytes() {
        try {
            Process histogram = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "jcmd")
                                    .toString(),
                            Long.toString(pid()),
                            "GC.class_histogram")
                    .redirectErrorStream(true)
                    .start();
            String text = new String(histogram.getInputStream().readAllBytes());
            String[] total = text.substring(text.lastIndexOf("Total")).trim().split("\\s+");
            return Long.parseLong(total[2]) >> 20;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL; returns the exit code, 137. */
    public int kill() {
        container.ifPresentOrElse(Container::kill, process::destroyForcibly);
        return exitCode();
    }

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** SIGTERM; returns the exit code. */
    public int stop() {
        terminate();
        return exitCode();
    }

    public int exitCode() {
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                throw new IllegalStateException("still runs:\n" + log());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            kill();
        }
    }
}
