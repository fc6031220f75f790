package io.plantline.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A process that receives at QoS 1, acknowledges, and throws everything away. */
record Receiver(String name, Process process) implements Subject {

    /** A class with a main method that takes the port. */
    static Receiver java(String name, Class<?> main, Path folder, int port) throws IOException {
        return start(
                name,
                folder,
                List.of(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        Integer.toString(port)));
    }

    /** The C library of Mosquitto, as its own command-line client uses it. */
    static Receiver libmosquitto(Path folder, int port) throws IOException {
        return start(
                "libmosquitto",
                folder,
                List.of(
                        "mosquitto_sub",
                        "-p",
                        Integer.toString(port),
                        "-i",
                        "libmosquitto",
                        "-c",
                        "-q",
                        "1",
                        "-t",
                        "bench/#"));
    }

    private static Receiver start(String name, Path folder, List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(folder.resolve(name + ".log").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        LockSupport.parkNanos(2_000_000_000L);
        return new Receiver(name, process);
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
