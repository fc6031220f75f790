package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.model.Failure;
import io.plantline.model.Fingerprint;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.pipeline.Unreleased;
import io.plantline.pipeline.outbox.log.SlowDisk;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.TestContext;
import io.vertx.core.Future;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The outbox on disk, over restarts. */
class DiskOutboxTest extends DiskOutboxHarness {
    @Test
    void isSafeOnceItIsOnDiskAndIsDeliveredAfterARestart() throws Exception {
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "b");
        append(outbox, "c");
        assertThat(ledger.snapshot().waiting()).isEqualTo(3);
        publisher = request -> PublishReply.failed(Failure.retry("down", "still"));
        reopen(1);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 3 = delivered 0 + filtered 0 + dead-lettered 0 + waiting 3");
        publisher = this::deliver;
        awaitPublished(3);
        assertThat(published).containsExactly("a", "b", "c");
        await().until(() -> ledger.snapshot().waiting() == 0);
        reopen(1);
        assertThat(ledger.snapshot().delivered()).as("the books go on").isEqualTo(3);
        assertThat(ledger.snapshot().waiting()).isZero();
    }

    @Test
    void aSlowForceDelaysAcknowledgementsAndNothingElse() throws Exception {
        Semaphore forces = new Semaphore(1);
        disks = folder -> new SlowDisk(folder, forces);
        OutboxVerticle outbox = open(1);
        append(outbox, "before");
        await().until(() -> published.contains("before"));
        forces.acquire();
        List<Future<Void>> safe = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            safe.add(outbox.append(0, batch(0, "m" + i)));
            get(outbox.report()); // Its context is free.
        }
        assertThat(safe).noneMatch(Future::isComplete);
        forces.release();
        for (Future<Void> one : safe) {
            get(one);
        }
        await().until(() -> published.size() == 101);
    }

    @Test
    void aRestartRepeatsThePlanThatWasBegun() throws Exception {
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "b");
        await().until(() -> !plans.isEmpty());
        String begun = plans.get(0);
        append(outbox, "c", "d");
        append(outbox, "e");
        reopen(1);
        plans.clear();
        publisher = this::deliver;
        awaitPublished(5);
        List<String> different = plans.stream().distinct().toList();
        assertThat(different.get(0)).isEqualTo(begun);
        assertThat(published).containsExactly("a", "b", "c", "d", "e");
        assertThat(different).as("what came later is a plan of its own").hasSizeGreaterThan(1);
    }

    @Test
    void whatIsTooOldExpiresUnlessAPlanHasIt() throws Exception {
        // The time of the messages is fixed, and past.
        maxAge = Duration.ofMillis(1);
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "b");
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot().totals().expired()).isEqualTo(2);
        assertThat(plans).isEmpty();
        maxAge = Duration.ZERO;
        outbox = reopen(1);
        append(outbox, "c");
        await().until(() -> !plans.isEmpty());
        maxAge = Duration.ofMillis(1);
        stop();
        publisher = this::deliver;
        outbox = reopen(1);
        awaitPublished(1);
        append(outbox, "d");
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).containsExactly("c");
        assertThat(ledger.snapshot())
                .hasToString(
                        "t: accepted 4 = delivered 1 + filtered 0 + dead-lettered 0 + dropped 0 + expired 3 + purged 0"
                                + " + quarantined 0 + waiting 0");
    }

    private static List<Integer> stored(OutboxVerticle outbox, long generation) {
        return outbox.stored(generation)
                .toCompletionStage()
                .toCompletableFuture()
                .join()
                .packetIds()
                .boxed()
                .toList();
    }

    @Test
    void aFullOutboxDropsItsOldestMessagesAndKeepsWhatAPublisherHas() throws Exception {
        onFull = OnFull.DROP_OLDEST;
        maxBytes = 8 * MIB;
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        append(outbox, "first");
        await().until(() -> !plans.isEmpty());
        String begun = plans.get(0);
        int count = 3_000;
        for (int i = 0; i < count; i++) {
            outbox.append(0, incompressible(8_192, "m" + i))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            if (i == count / 2) {
                outbox = reopen(1);
            }
        }
        long dropped = ledger.snapshot().totals().dropped();
        assertThat(dropped).as("about 16 of 24 MB").isBetween(1_500L, 2_400L);
        assertThat(ledger.snapshot().waiting()).isEqualTo(1 + count - dropped);
        // An attempt that succeeds while the outbox closes would be made again.
        stop();
        plans.clear();
        publisher = this::deliver;
        reopen(1);
        assertThat(ledger.snapshot().totals().dropped()).isEqualTo(dropped);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(plans.get(0)).isEqualTo(begun);
        List<String> expected = new ArrayList<>(List.of("first"));
        for (long i = dropped; i < count; i++) {
            expected.add("m" + i);
        }
        assertThat(published.stream().map(payload -> payload.split(" ")[0])).containsExactlyElementsOf(expected);
        assertThat(ledger.snapshot().totals().quarantined()).isZero();
        assertThat(ledger.snapshot().delivered()).isEqualTo(1 + count - dropped);
    }

    /** A wrong bucket that was put right: what no publisher has goes to the new definition, what a plan has stays. */
    @Test
    void whatIsHeldMovesToAnotherDefinitionUnlessAPlanHasIt(@TempDir Path elsewhere) throws Exception {
        planBytes = 32 * MIB;
        publisher = request -> {
            plans.add(request.batch().plan().id());
            return PublishReply.failed(Failure.operator("no-such-bucket", "wrong"));
        };
        OutboxVerticle outbox = open(1);
        append(outbox, "planned");
        await().until(() -> !plans.isEmpty());
        int count = 3_000;
        for (int i = 0; i < count; i++) {
            outbox.append(0, incompressible(8_192, "m" + i));
        }
        await().until(() -> ledger.snapshot().waiting() == count + 1);
        List<String> moved = new CopyOnWriteArrayList<>();
        TargetLedger books = new TargetLedger("new");
        OutboxVerticle other = another(elsewhere, books, moved);
        assertThat(outbox.moveTo(other)
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get(30, TimeUnit.SECONDS))
                .isEqualTo(count);
        await().atMost(Duration.ofSeconds(20)).until(() -> moved.size() >= count);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            expected.add("m" + i);
        }
        assertThat(moved).containsExactlyElementsOf(expected);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 3001 = delivered 0 + filtered 0 + dead-lettered 0 + dropped 0 + expired 0"
                        + " + purged 3000 + quarantined 0 + waiting 1 (held: no-such-bucket)");
        String begun = plans.get(0);
        stop();
        plans.clear();
        publisher = this::deliver;
        reopen(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(plans).containsExactly(begun);
        assertThat(published).containsExactly("planned");
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(count);
    }

    /** What a plan has goes too, if an operator says so; and a later start knows that. */
    @Test
    void whatWasTriedMovesByCommandOnly(@TempDir Path elsewhere) throws Exception {
        publisher = request -> {
            plans.add(request.batch().plan().id());
            return PublishReply.failed(Failure.operator("no-such-bucket", "wrong"));
        };
        OutboxVerticle outbox = open(1);
        append(outbox, "tried");
        await().until(() -> !plans.isEmpty());
        append(outbox, "waits");
        List<String> moved = new CopyOnWriteArrayList<>();
        OutboxVerticle other = another(elsewhere, new TargetLedger("new"), moved);
        assertThat(get(outbox.moveTo(other))).isEqualTo(1);
        await().until(() -> get(outbox.retarget(other, true)) == 1);
        await().until(() -> moved.size() == 2);
        assertThat(moved).containsExactly("waits", "tried");
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 2 = delivered 0 + filtered 0 + dead-lettered 0 + dropped 0 + expired 0"
                        + " + purged 2 + quarantined 0 + waiting 0");
        append(outbox, "new");
        publisher = this::deliver;
        awaitPublished(1);
        stop();
        plans.clear();
        OutboxVerticle again = reopen(1);
        append(again, "newer");
        awaitPublished(2);
        assertThat(published).containsExactly("new", "newer");
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(2);
    }

    /** A plan that is larger than memory is read from disk on its way to somebody else. */
    @Test
    void aLargePlanThatWasTriedIsPurgedByCommand() throws Exception {
        planBytes = 64 * MIB;
        planRecords = 3_000;
        publisher = request -> PublishReply.failed(Failure.operator("no-such-bucket", "wrong"));
        OutboxVerticle outbox = open(1);
        append(outbox, "first");
        await().until(() -> ledger.snapshot().retries() > 0);
        for (int i = 1; i < 6_000; i++) {
            outbox.append(0, incompressible(8_192, "m" + i));
        }
        await().until(() -> ledger.snapshot().waiting() == 6_000);
        long[] purged = {0};
        await().until(() -> (purged[0] += get(outbox.purge(true))) == 6_000);
        assertThat(ledger.snapshot().waiting()).isZero();
        append(outbox, "new");
        publisher = this::deliver;
        awaitPublished(1);
        stop();
        OutboxVerticle again = reopen(1);
        append(again, "newer");
        awaitPublished(2);
        assertThat(published).containsExactly("new", "newer");
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(6_000);
    }

    /** Room that comes free because messages are too old is room. */
    @Test
    void whatExpiresMakesRoomForWhoWaits() throws Exception {
        maxBytes = 8 * MIB;
        publisher = this::refuse;
        append(open(1), "first");
        await().until(() -> !plans.isEmpty());
        maxAge = Duration.ofMillis(1);
        OutboxVerticle outbox = reopen(1);
        List<Future<Void>> appended = new ArrayList<>();
        for (int i = 0; i < 1_200; i++) {
            appended.add(outbox.append(0, incompressible(8_192, "m" + i)));
        }
        await().until(() -> ledger.snapshot().heldBecause() != null);
        assertThat(appended.get(1_199).isComplete()).isFalse();
        publisher = this::deliver;
        await().until(() -> appended.stream().allMatch(Future::isComplete));
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).containsExactly("first");
        assertThat(ledger.snapshot().totals().expired()).isEqualTo(1_200);
    }

    @Test
    void aPlanLargerThanMemoryIsReadWhileItLeavesAndIsTheSameAfterARestart() throws Exception {
        int count = 800;
        keepAPlanLargerThanMemory(count);
        List<String> attempts = new CopyOnWriteArrayList<>();
        answers = request -> names(request).map(names -> answer(request, names, attempts));
        await().until(() -> attempts.size() > 1);
        reopen(1);
        await().until(() -> attempts.size() > 2);
        reopen(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(attempts).hasSizeGreaterThan(3);
        assertThat(new HashSet<>(attempts)).as("one plan").hasSize(1);
        List<String> expected = new ArrayList<>();
        expected.add("first");
        for (int i = 0; i < count; i++) {
            expected.add("m" + i);
        }
        expected.remove("m300");
        assertThat(published).containsExactlyElementsOf(expected);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 801 = delivered 800 + filtered 0 + dead-lettered 1 + waiting 0");
    }

    @Test
    void damageToAPlanOnDiskCostsWhatItTakesAndTheRestLeaves() throws Exception {
        int count = 800;
        keepAPlanLargerThanMemory(count);
        AtomicBoolean large = new AtomicBoolean();
        AtomicBoolean up = new AtomicBoolean();
        answers = request -> names(request).map(names -> {
            large.compareAndSet(false, names.size() > 500);
            if (up.get() || !large.get()) {
                published.addAll(names);
                return new PublishReply(null, Verdicts.allDelivered());
            }
            return PublishReply.failed(Failure.retry("down", "down"));
        });
        await().untilTrue(large);
        flip("m400 ");
        long retries = ledger.snapshot().retries();
        await().until(() -> ledger.snapshot().retries() > retries + 2); // An attempt may have read it before.
        up.set(true);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).doesNotContain("m400").doesNotHaveDuplicates().endsWith("m799");
        long lost = ledger.snapshot().totals().quarantined();
        assertThat(lost).as("what was forced together").isBetween(1L, 100L);
        assertThat(published.size() + lost).isEqualTo(1 + count);
        assertThat(ledger.snapshot().balances()).isTrue();
    }

    /** All of what waits behind a plan of one message is the next plan, once that has left. */
    private void keepAPlanLargerThanMemory(int count) throws Exception {
        planBytes = 64 * MIB;
        planRecords = 1_000_000;
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        append(outbox, "first");
        await().until(() -> !plans.isEmpty());
        List<Future<Void>> safe = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            safe.add(outbox.append(0, incompressible(65_536, "m" + i)));
        }
        get(Future.all(safe));
    }

    /** First words of the messages of a plan, read as a publisher reads them. */
    private static Future<List<String>> names(PublishRequest request) {
        List<String> names = new ArrayList<>();
        return request.batch()
                .forEach((ordinal, message) ->
                        names.add(new String(message.payload(), StandardCharsets.US_ASCII).split(" ")[0]))
                .map(names);
    }

    /** Damages the message that begins like this. */
    private void flip(String payload) throws IOException {
        List<Path> logs;
        try (Stream<Path> files = Files.list(folder)) {
            logs = files.filter(file -> file.toString().endsWith(".log")).toList();
        }
        for (Path log : logs) {
            int at = new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1).indexOf(payload);
            if (at >= 0) {
                try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
                    file.seek(at);
                    file.write('X');
                }
                return;
            }
        }
        throw new AssertionError("not found: " + payload);
    }

    /** Small plans leave; the large one fails three times, and then has a message that is refused. */
    private PublishReply answer(PublishRequest request, List<String> names, List<String> attempts) {
        if (names.size() > 500) {
            attempts.add(request.batch().plan().id());
            if (attempts.size() <= 3) {
                return PublishReply.failed(Failure.retry("cut", "half way"));
            }
            int refused = names.indexOf("m300");
            if (request.batch().isPending(refused)) {
                names.remove(refused);
                published.addAll(names);
                return new PublishReply(null, new Verdicts(Map.of(refused, Failure.reject("bad", "no"))));
            }
        } else {
            published.addAll(names);
        }
        return new PublishReply(null, Verdicts.allDelivered());
    }

    @Test
    void aBacklogLargerThanMemoryLeavesInOrder() throws Exception {
        planBytes = MIB;
        planRecords = 1_000;
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        int count = 4_000;
        List<Future<Void>> appended = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            appended.add(outbox.append(0, batch(2_000, "m" + i)));
        }
        Future.all(appended).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        publisher = this::deliver;
        awaitPublished(count / 2);
        for (int i = count; i < count + 100; i++) {
            append(outbox, "m" + i);
        }
        awaitPublished(count + 100);
        for (int i = 0; i < count + 100; i++) {
            assertThat(published.get(i).strip()).isEqualTo("m" + i);
        }
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).hasSize(count + 100);
        await().untilAsserted(() ->
                assertThat(bytesOnDisk()).as("delivered segments are freed").isLessThan(5 * 16 * MIB));
    }

    private long bytesOnDisk() throws Exception {
        long bytes = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    @Test
    void aFullOutboxBlocksAndGoesOnWhenThereIsRoom() throws Exception {
        maxBytes = 8 * MIB;
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        List<Future<Void>> appended = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            appended.add(outbox.append(0, incompressible(i)));
        }
        await().until(() -> "outbox full".equals(ledger.snapshot().heldBecause()));
        await().until(() -> appended.stream().filter(Future::isComplete).count() >= 10);
        assertThat(appended).as("what does not fit waits").anyMatch(append -> !append.isComplete());
        publisher = this::deliver;
        Future.all(appended).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        awaitPublished(40);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot().heldBecause()).isNull();
        assertThat(ledger.snapshot().delivered()).isEqualTo(40);
    }

    @Test
    void aFullOutboxDropsNewMessagesAndCountsThemIfItIsToldTo() throws Exception {
        maxBytes = 8 * MIB;
        onFull = OnFull.DROP_NEWEST;
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        List<Future<Void>> appended = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            appended.add(outbox.append(0, incompressible(i)));
            await().until(appended.get(i)::isComplete);
        }
        assertThat(ledger.snapshot().totals().dropped()).isBetween(10L, 35L);
        assertThat(ledger.snapshot().accepted()).isEqualTo(40);
        long dropped = ledger.snapshot().totals().dropped();
        reopen(1);
        publisher = this::deliver;
        awaitPublished((int) (40 - dropped));
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot().totals().dropped()).isEqualTo(dropped);
        assertThat(ledger.snapshot().accepted()).isEqualTo(40);
    }

    private static MessageBatch incompressible(int seed) {
        byte[] bytes = new byte[512 << 10];
        new java.util.Random(seed).nextBytes(bytes);
        MessageBatch.Builder builder = new MessageBatch.Builder(bytes.length + 100);
        TestContext.add(builder, "topic", bytes, MessageProperties.NONE);
        return builder.build();
    }

    @Test
    void damageIsCountedAndTheRestLeaves() throws Exception {
        publisher = this::refuse;
        OutboxVerticle outbox = open(1);
        for (int i = 0; i < 20; i++) {
            append(outbox, "m" + i);
        }
        stop();
        flip("m10");
        publisher = this::deliver;
        reopen(1);
        awaitPublished(19);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).hasSize(19).doesNotContain("m10").startsWith("m0").endsWith("m19");
        assertThat(ledger.snapshot().totals().quarantined()).isEqualTo(1);
        assertThat(ledger.snapshot().balances()).isTrue();
    }

    @Test
    void identifiersAreRememberedUntilTheyAreReleased() throws Exception {
        OutboxVerticle outbox = open(1);
        outbox.append(0, batch(0, "a", "b"), new Identifiers(7, new int[] {11, 12}))
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        outbox.release(new Identifiers(7, new int[] {11, 99}))
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        OutboxVerticle again = reopen(1);
        assertThat(stored(again, 7)).containsExactly(12);
        assertThat(stored(again, 8)).as("of another session").isEmpty();
    }

    @Test
    void contentsAreRememberedWithTheirIdentifiers() throws Exception {
        Fingerprint content = new Fingerprint(1, 2);
        open(1).append(0, batch(0, "a"), new Identifiers(7, new int[] {11}, List.of(content)))
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        Unreleased again =
                reopen(1).stored(7).toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        assertThat(again.packetIdOf(content)).isEqualTo(11);
    }

    @Test
    void lanesChangeWhenNothingWaits() throws Exception {
        publisher = this::refuse;
        append(open(1), "a");
        assertThat(reopen(4).lanes()).as("a lane keeps its order").isEqualTo(1);
        publisher = this::deliver;
        awaitPublished(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(reopen(4).lanes()).isEqualTo(4);
    }
}
