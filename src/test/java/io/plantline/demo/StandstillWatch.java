package io.plantline.demo;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Writes down what every thread does, once, when a count that should grow has not done so for some seconds. */
final class StandstillWatch {
    private final int seconds;
    private final Path file;
    private long last = -1;
    private int same;

    StandstillWatch(int seconds, Path file) {
        this.seconds = seconds;
        this.file = file;
    }

    /** To be told the count once a second; the file when it has just been written. */
    Optional<Path> beat(long count) {
        same = count == last ? same + 1 : 0;
        last = count;
        if (same != seconds) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder();
        for (ThreadInfo thread : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true, 64)) {
            text.append(thread.getThreadName())
                    .append(": ")
                    .append(thread.getThreadState())
                    .append(thread.getLockName() == null ? "" : " on " + thread.getLockName())
                    .append(thread.getLockOwnerName() == null ? "" : " held by " + thread.getLockOwnerName())
                    .append('\n');
            for (StackTraceElement frame : thread.getStackTrace()) {
                text.append("    ").append(frame).append('\n');
            }
        }
        try {
            Files.createDirectories(file.getParent());
            return Optional.of(Files.writeString(file, text));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
