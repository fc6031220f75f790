package io.plantline.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that is measured. */
interface Subject extends AutoCloseable {
    long pid();

    String name();

    @Override
    void close();

    /** CPU time of the process so far, user and system, in microseconds. */
    default double cpuMicros() {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
            return ticks * 1_000_000.0 / 100;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Largest resident set so far, in MB. */
    default long peakRssMb() {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid() + "/status")).stream()
                    .filter(line -> line.startsWith("VmHWM"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    default void signal(String signal) {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
