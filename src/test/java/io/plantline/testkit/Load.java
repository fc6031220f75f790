package io.plantline.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A {@link Generator} in a process of its own: it publishes until it is stopped. */
public final class Load implements AutoCloseable {
    private static final int WINDOW = 500;

    private final Process process;

    private Load(Process process) {
        this.process = process;
    }

    /** Starts to publish messages of {@code size} bytes on {@code plant/lineN}. */
    public static Load start(int port, int topics, int qos, int size, int perSecond) {
        return start("plant", port, topics, qos, size, perSecond);
    }

    /** The same on {@code area/lineN}. */
    public static Load start(String area, int port, int topics, int qos, int size, int perSecond) {
        return new Load(Children.start(
                Load.class,
                area,
                Integer.toString(port),
                Integer.toString(topics),
                Integer.toString(qos),
                Integer.toString(size),
                Integer.toString(perSecond)));
    }

    public boolean isRunning() {
        return process.isAlive();
    }

    /** Publishes no more; returns how many messages of each topic the broker has confirmed, which is all of them. */
    public int stop() {
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            process.getOutputStream().close();
            String perTopic = out.readLine();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException("the generator failed");
            }
            return Integer.parseInt(perTopic);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Publishes until its input ends. */
    public static void main(String[] arguments) {
        int[] numbers = java.util.Arrays.stream(arguments)
                .skip(1)
                .mapToInt(Integer::parseInt)
                .toArray();
        AtomicBoolean goOn = new AtomicBoolean(true);
        Thread end = new Thread(() -> {
            try {
                System.in.readAllBytes();
            } catch (IOException e) {
                // Ends too.
            }
            goOn.set(false);
        });
        end.setDaemon(true);
        end.start();
        System.out.println(
                new Generator(numbers[0], numbers[1], t -> arguments[0] + "/line" + t, numbers[2], numbers[3])
                        .publishWhile(goOn::get, WINDOW, numbers[4]));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
