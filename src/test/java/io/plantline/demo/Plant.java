package io.plantline.demo;

import io.plantline.testkit.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A simulated plant: presses in area 1 and an oven line in area 2, publishing into the unified namespace at QoS 1. */
final class Plant implements Runnable {
    private static final String[] STATES = {"RUNNING", "RUNNING", "RUNNING", "RUNNING", "IDLE", "SETUP"};

    private final int port;
    private final AtomicLong published = new AtomicLong();
    private final SplittableRandom random = new SplittableRandom(42);
    private volatile boolean running = true;
    private long order = 48_000;

    Plant(int port) {
        this.port = port;
    }

    /** Messages that the broker has confirmed. */
    long published() {
        return published.get();
    }

    void stop() {
        running = false;
    }

    @Override
    public void run() {
        try (WireClient client = WireClient.connect(port, "plant", 4, true)) {
            double[] temperature = new double[6];
            java.util.Arrays.fill(temperature, 180);
            for (int tick = 0; running; tick++) {
                int machine = tick % 6;
                temperature[machine] += random.nextDouble(-1.5, 1.55) + (temperature[machine] > 205 ? -8 : 0);
                boolean press = machine < 4;
                String topic = press
                        ? "com1/plant1/area1/press" + (machine + 1) + "/" + (tick % 5 == 0 ? "Message2" : "Message1")
                        : "com1/plant1/area2/oven" + (machine - 3) + "/Message1";
                client.publish(topic, 1, false, message(press, machine, temperature[machine]));
                published.incrementAndGet();
                LockSupport.parkNanos(4_000_000);
            }
        } catch (IOException e) {
            // The broker has closed: the demo ends.
        }
    }

    private byte[] message(boolean press, int machine, double temperature) {
        String now = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
        String json = press
                ? String.format(
                        Locale.ROOT,
                        "{\"timestamp\":\"%s\",\"asset\":\"press%d\",\"state\":\"%s\",\"order\":\"WO-%d\","
                                + "\"pressure_bar\":%.1f,\"temperature_c\":%.1f,\"strokes\":%d}",
                        now,
                        machine + 1,
                        STATES[random.nextInt(STATES.length)],
                        order++ / 50,
                        random.nextDouble(140, 160),
                        temperature,
                        random.nextInt(20, 30))
                : String.format(
                        Locale.ROOT,
                        "{\"timestamp\":\"%s\",\"asset\":\"oven%d\",\"zone_c\":[%.1f,%.1f,%.1f],\"belt_m_min\":%.2f}",
                        now,
                        machine - 3,
                        temperature,
                        temperature + random.nextDouble(-4, 4),
                        temperature + random.nextDouble(-4, 4),
                        random.nextDouble(1.1, 1.3));
        return json.getBytes(StandardCharsets.UTF_8);
    }
}
