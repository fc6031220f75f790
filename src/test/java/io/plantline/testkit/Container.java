package io.plantline.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The image, as it runs in a cluster: read-only root, no capabilities, bounded memory. It has the folder of a test as its own,
 * and the names of the reference's cluster.
 */
record Container(String name, List<String> command) {
    private static final AtomicInteger STARTED = new AtomicInteger();

    static Container of(String image, Path directory, Set<String> environment) {
        String name = "plantline-test-" + ProcessHandle.current().pid() + "-" + STARTED.incrementAndGet();
        List<String> command = new ArrayList<>(List.of(
                "docker", "run", "--rm", "--name", name, "--network", "host", "--read-only", "--cap-drop", "ALL"));
        command.addAll(List.of("--memory", "512m", "--security-opt", "no-new-privileges"));
        // Who runs the tests owns the folder.
        command.addAll(List.of("--user", "0:0", "--volume", directory + ":" + directory));
        command.addAll(List.of("--add-host", "edge-processor.svc.cluster.local:127.0.0.1"));
        environment.forEach(variable -> command.addAll(List.of("--env", variable)));
        command.add(image);
        return new Container(name, command);
    }

    /** SIGKILL. */
    void kill() {
        try {
            new ProcessBuilder("docker", "kill", name).start().waitFor();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
