package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.outbox.log.LogRecord.Stored;
import io.plantline.testkit.Mount;
import io.plantline.testkit.TestContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An ext4 gives up its journal while a log forces what it writes. Linux may confirm a force all the same: seen with fdatasync(2) of a
 * file that grows, in 2 of 30 attempts. What the log has called durable is there when the file system has been repaired.
 */
class DamagedFileSystemIT {
    private static final int ROUNDS = Integer.getInteger("damage.rounds", 10);
    private static final int WINDOW = 8;
    private static final Log.Options OPTIONS = new Log.Options(1 << 20, 0, 0);

    @TempDir
    private Path directory;

    private final Random random = new Random();

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void whatWasCalledDurableIsThere() throws Exception {
        long messages = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Path image = Mount.format(directory.resolve("disk-" + round), "64M");
            try (Mount disk = Mount.image(image, directory.resolve("mount"))) {
                messages += damage(disk, "round " + round);
            }
        }
        System.out.println(ROUNDS + " times a journal was given up: 0 of " + messages + " messages missing");
    }

    private long damage(Mount disk, String where) throws Exception {
        Path folder = disk.place().resolve("log");
        AtomicBoolean failing = new AtomicBoolean();
        AtomicLong durable = new AtomicLong();
        AtomicBoolean goOn = new AtomicBoolean(true);
        Log log = open(folder, failing);
        Thread writer = new Thread(() -> store(log, durable, goOn));
        writer.start();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100 + random.nextInt(900)));
        disk.damage();
        await().untilTrue(failing);
        log.close(100);
        goOn.set(false);
        writer.join();

        disk.repair();
        Log again = open(folder, new AtomicBoolean());
        List<Stored> found = LogModelTest.readAll(again.reader(0), where);
        again.close(1_000);
        assertThat(found.size()).as(where).isGreaterThanOrEqualTo((int) durable.get());
        for (int i = 0; i < found.size(); i++) {
            assertThat(found.get(i).first()).as(where).isEqualTo(i + 1);
        }
        return durable.get();
    }

    private static Log open(Path folder, AtomicBoolean failing) throws Exception {
        return Log.open(
                "damaged", new FileDisk(folder), 1, state -> List.of(), OPTIONS, new Watch(failing), Runnable::run);
    }

    /** Messages of a kilobyte that does not compress, a few of them at a time. */
    private void store(Log log, AtomicLong durable, AtomicBoolean goOn) {
        Semaphore window = new Semaphore(WINDOW);
        byte[] payload = new byte[1_024];
        for (long sequence = 1; goOn.get(); sequence++) {
            try {
                while (goOn.get() && !window.tryAcquire(50, TimeUnit.MILLISECONDS)) {
                    // The disk refuses.
                }
            } catch (InterruptedException e) {
                return;
            }
            random.nextBytes(payload);
            MessageBatch.Builder builder = new MessageBatch.Builder(2_048);
            TestContext.add(builder, "t", payload, MessageProperties.NONE);
            long stored = sequence;
            log.submit(new Stored(0, sequence - 1, builder.build().numberedFrom(sequence), Identifiers.NONE), () -> {
                durable.set(stored);
                window.release();
            });
        }
    }

    private static final class Watch extends LogModelTest.NoDamage {
        private final AtomicBoolean failed;

        Watch(AtomicBoolean failed) {
            this.failed = failed;
        }

        @Override
        public void failing(Exception cause) {
            failed.set(true);
        }
    }
}
