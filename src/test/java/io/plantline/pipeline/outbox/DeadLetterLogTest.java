package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.model.Failure;
import io.plantline.observe.DeadLetter;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.pipeline.PipelineMessage.PublishRequest;
import io.plantline.pipeline.outbox.log.FileDisk;
import io.plantline.pipeline.outbox.log.SlowDisk;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

/** Dead letters in a log of their own. */
class DeadLetterLogTest extends DiskOutboxHarness {

    private PublishReply refuseBad(PublishRequest request) {
        Map<Integer, Failure> refused = new HashMap<>();
        request.batch().forEach((ordinal, message) -> {
            if (request.batch().isPending(ordinal)) {
                String payload = new String(message.payload());
                if (payload.startsWith("bad")) {
                    refused.put(ordinal, Failure.reject("too-large", "it is"));
                } else {
                    published.add(payload);
                }
            }
        });
        return new PublishReply(null, new Verdicts(refused));
    }

    @Test
    void aRefusedMessageIsKeptWithItsReasonAndTheRestFlows() throws Exception {
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "bad 1", "b", "bad 2", "c");
        awaitPublished(3);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 5 = delivered 3 + filtered 0 + dead-lettered 2 + waiting 0");
        List<DeadLetter> letters = get(outbox.deadLetters(0, 10));
        assertThat(letters).extracting(letter -> new String(letter.payload())).containsExactly("bad 1", "bad 2");
        DeadLetter letter = letters.get(0);
        assertThat(letter.stage()).isEqualTo("publish");
        assertThat(letter.code()).isEqualTo("too-large");
        assertThat(letter.configuration()).isEqualTo("hash");
        assertThat(letter.user()).isEmpty();
        assertThat(letter.topic()).isEqualTo("topic");
        assertThat(get(outbox.report()).deadLetters()).isEqualTo(2);

        OutboxVerticle again = reopen(1);
        assertThat(get(again.deadLetters(0, 10))).hasSize(2);
        assertThat(get(again.purgeDeadLetters(letter.id()))).isEqualTo(1);
        publisher = this::deliver;
        assertThat(get(again.replayDeadLetters(Long.MAX_VALUE, again))).isEqualTo(1);
        await().until(() -> published.contains("bad 2"));
        assertThat(get(again.deadLetters(0, 10))).isEmpty();
    }

    @Test
    void whatIsRefusedAgainIsReplayedOnceAndCommandsDoNotMeet() throws Exception {
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        append(outbox, "bad 1", "bad 2", "bad 3");
        await().until(() -> get(outbox.report()).deadLetters() == 3);
        assertThat(get(outbox.replayDeadLetters(Long.MAX_VALUE, outbox))).isEqualTo(3);
        await().until(() -> get(outbox.report()).deadLetters() == 3);
        List<DeadLetter> letters = get(outbox.deadLetters(0, 10));
        assertThat(letters).extracting(DeadLetter::id).containsExactly(4L, 5L, 6L);
        assertThat(get(outbox.deadLetters(5, 1))).extracting(DeadLetter::id).containsExactly(5L);
        Future<Long> one = outbox.purgeDeadLetters(5);
        Future<Long> two = outbox.purgeDeadLetters(Long.MAX_VALUE);
        assertThat(get(one)).isEqualTo(2);
        assertThat(get(two)).isEqualTo(1);
        assertThat(get(outbox.report()).deadLetters()).isZero();
    }

    @Test
    void whatIsCountedCanBeListed() throws Exception {
        Semaphore forces = new Semaphore(1);
        disks = folder -> folder.endsWith(OutboxVerticle.DEAD) ? new SlowDisk(folder, forces) : new FileDisk(folder);
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        append(outbox, "bad 1");
        await().until(() -> get(outbox.report()).deadLetters() == 1);
        forces.acquire();
        append(outbox, "bad 2");
        await().until(forces::hasQueuedThreads);
        assertThat(get(outbox.report()).deadLetters()).isEqualTo(1);
        assertThat(get(outbox.deadLetters(0, 10))).hasSize(1);
        forces.release();
        await().until(() -> get(outbox.report()).deadLetters() == 2);
        assertThat(get(outbox.deadLetters(0, 10))).hasSize(2);
    }

    @Test
    void aCrashBeforeThePlanIsDoneMakesNoSecondDeadLetter() throws Exception {
        publisher = request -> {
            Map<Integer, Failure> refused =
                    new HashMap<>(refuseBad(request).verdicts().refused());
            request.batch().forEach((ordinal, message) -> {
                if (request.batch().isPending(ordinal) && !refused.containsKey(ordinal)) {
                    refused.put(ordinal, Failure.retry("down", "down"));
                }
            });
            return new PublishReply(null, new Verdicts(refused));
        };
        OutboxVerticle outbox = open(1);
        append(outbox, "a", "bad 1", "b");
        await().until(() -> get(outbox.report()).deadLetters() == 1);
        assertThat(ledger.snapshot().deadLettered()).as("the plan is not done").isZero();
        published.clear();

        publisher = this::refuseBad;
        OutboxVerticle again = reopen(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 3 = delivered 2 + filtered 0 + dead-lettered 1 + waiting 0");
        assertThat(get(again.deadLetters(0, 10))).hasSize(1);
    }

    @Test
    void aFullLogHoldsTheQueueUntilThereIsRoom() throws Exception {
        deadLetterBytes = 4_000;
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        for (int i = 0; i < 4; i++) {
            append(outbox, "bad " + i + " ".repeat(900) + Math.random());
        }
        append(outbox, "good");
        await().until(() -> "dead-letters-full".equals(ledger.snapshot().heldBecause()) || published.contains("good"));
        int more = 0;
        while (ledger.snapshot().heldBecause() == null) {
            append(outbox, "bad " + more++ + " ".repeat(2_000));
        }
        append(outbox, "behind");
        assertThat(published).doesNotContain("behind");
        deadLetterBytes = 1 << 20;
        OutboxVerticle again = reopen(1);
        await().until(() -> published.contains("behind"));
        assertThat(get(again.deadLetters(0, 100))).hasSize(4 + more);
        assertThat(ledger.snapshot().deadLettered()).isEqualTo(4 + more);
    }

    /** Room for them would come of their purge only, which must not wait for them. */
    @Test
    void whatIsReplayedIntoAFullOutboxStaysAndCanBePurged() throws Exception {
        maxBytes = 8 * MIB;
        onFull = OnFull.DROP_NEWEST;
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        append(outbox, "bad 1", "good");
        await().until(() -> ledger.snapshot().deadLettered() == 1);
        publisher = this::refuse;
        for (int i = 0; ledger.snapshot().totals().dropped() == 0; i++) {
            get(outbox.append(0, incompressible(1 << 19, "m" + i)));
        }
        assertThatThrownBy(() -> get(outbox.replayDeadLetters(Long.MAX_VALUE, outbox)))
                .hasMessageContaining("outbox-full");
        assertThat(get(outbox.deadLetters(0, 10))).hasSize(1);
        assertThat(get(outbox.purgeDeadLetters(Long.MAX_VALUE))).isEqualTo(1);
    }

    @Test
    void purgingAFullLogMakesRoom() throws Exception {
        deadLetterBytes = 512 << 10;
        publisher = this::refuseBad;
        OutboxVerticle outbox = open(1);
        Random random = new Random(1);
        for (int i = 0; ledger.snapshot().heldBecause() == null; i++) {
            byte[] large = new byte[40_000];
            random.nextBytes(large);
            append(outbox, "bad " + i + HexFormat.of().formatHex(large));
        }
        assertThat(ledger.snapshot().heldBecause()).isEqualTo("dead-letters-full");
        append(outbox, "behind");
        assertThat(get(outbox.purgeDeadLetters(Long.MAX_VALUE))).isPositive();
        await().until(() -> published.contains("behind"));
    }
}
