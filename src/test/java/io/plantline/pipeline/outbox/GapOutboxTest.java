package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.pipeline.InlineBatch;
import io.plantline.pipeline.PipelineMessage.PublishReply;
import io.plantline.spi.Verdicts;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that were dropped or moved between others that stay: they are counted once and do not come again, over restarts. */
class GapOutboxTest extends DiskOutboxHarness {

    @BeforeEach
    void nothingIsPinned() {
        namesByPlan = false;
        publisher = this::refuse;
    }

    private void begin(OutboxVerticle outbox, String first) throws Exception {
        append(outbox, first);
        await().until(() -> !plans.isEmpty());
    }

    private OutboxVerticle restart() {
        stop();
        plans.clear();
        OutboxVerticle again = reopen(1);
        await().until(() -> !plans.isEmpty());
        return again;
    }

    private void deliverAll() {
        stop();
        publisher = this::deliver;
        reopen(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
    }

    @Test
    void anotherPurgeAfterARestartForgetsNothingOfTheFirst() throws Exception {
        OutboxVerticle outbox = open(1);
        begin(outbox, "first");
        append(outbox, "a", "b");
        await().until(() -> get(opened.purge(false)) == 2);
        append(outbox, "c");
        outbox = restart();
        append(outbox, "d");
        await().until(() -> get(opened.purge(false)) == 2);
        append(outbox, "e");
        restart();
        deliverAll();
        assertThat(published).containsExactly("first", "e");
        assertThat(ledger.snapshot())
                .hasToString("t: accepted 6 = delivered 2 + filtered 0 + dead-lettered 0 + dropped 0 + expired 0"
                        + " + purged 4 + quarantined 0 + waiting 0");
    }

    /** A part of what is before the gap goes, and then the process does. */
    @Test
    void whatIsBeforeItGoesTooByCommand() throws Exception {
        OutboxVerticle outbox = open(1);
        begin(outbox, "first");
        append(outbox, "a", "b");
        await().until(() -> get(opened.purge(false)) == 2);
        append(outbox, "c");
        restart();
        long[] purged = {0};
        await().until(() -> (purged[0] += get(opened.purge(true))) == 2);
        append(opened, "d");
        stop();
        plans.clear();
        publisher = this::deliver;
        reopen(1);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).containsExactly("d");
        assertThat(ledger.snapshot().totals().purged()).isEqualTo(4);
    }

    @Test
    void aFullOutboxDropsItsOldestAfterRestartsToo() throws Exception {
        onFull = OnFull.DROP_OLDEST;
        maxBytes = 8 * MIB;
        OutboxVerticle outbox = open(1);
        begin(outbox, "first");
        int count = 4_000;
        appendAll(outbox, "m", 0, 1_500);
        appendAll(restart(), "m", 1_500, 3_000);
        appendAll(restart(), "m", 3_000, count);
        long dropped = ledger.snapshot().totals().dropped();
        assertThat(dropped).as("about 24 of 32 MB").isBetween(2_500L, 3_400L);
        assertThat(ledger.snapshot().waiting()).isEqualTo(1 + count - dropped);
        deliverAll();
        List<String> expected = new ArrayList<>(List.of("first"));
        for (long i = dropped; i < count; i++) {
            expected.add("m" + i);
        }
        assertThat(published.stream().map(payload -> payload.split(" ")[0])).containsExactlyElementsOf(expected);
        assertThat(ledger.snapshot().totals().dropped()).isEqualTo(dropped);
        assertThat(ledger.snapshot().totals().quarantined()).isZero();
    }

    /** What is before the gap is read piece by piece, and the gap grows meanwhile. */
    @Test
    void dropsGoOnWhileALargePlanBeforeThemIsReadAgain() throws Exception {
        onFull = OnFull.DROP_OLDEST;
        maxBytes = 24 * MIB;
        planBytes = 6 * MIB;
        planRecords = 1_000;
        Promise<PublishReply> held = Promise.promise();
        answers = request -> held.future();
        OutboxVerticle outbox = open(1);
        get(outbox.append(0, incompressible(8_192, "k0")));
        int kept = 600;
        appendAll(outbox, "k", 1, kept + 1);
        answers = request -> Future.succeededFuture(publisher.apply(request));
        held.complete(new PublishReply(null, Verdicts.allDelivered()));
        await().until(() -> !plans.isEmpty());
        int count = 5_000;
        appendAll(outbox, "m", 0, count - 2_000);
        assertThat(ledger.snapshot().totals().dropped()).isPositive();
        planBytes = MIB;
        outbox = restart();
        appendAll(outbox, "m", count - 2_000, count);
        long dropped = ledger.snapshot().totals().dropped();
        publisher = this::deliver;
        await().until(() -> ledger.snapshot().waiting() == 0);
        List<String> expected = new ArrayList<>();
        for (int i = 1; i <= kept; i++) {
            expected.add("k" + i);
        }
        for (long i = dropped; i < count; i++) {
            expected.add("m" + i);
        }
        assertThat(published.stream().map(payload -> payload.split(" ")[0])).containsExactlyElementsOf(expected);
        assertThat(ledger.snapshot().totals().dropped()).isEqualTo(dropped);
        assertThat(ledger.snapshot().totals().quarantined()).isZero();
    }

    /** The log is one for all lanes: what a quiet one keeps must not keep what is behind it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 700, 1_400, 2_000})
    void aQuietLaneDoesNotKeepRoomFromBeingMade(int when) throws Exception {
        onFull = OnFull.DROP_OLDEST;
        maxBytes = 8 * MIB;
        OutboxVerticle outbox = open(2);
        int count = 3_000;
        appendAll(outbox, "m", 0, when);
        get(outbox.append(1, batch(0, "quiet")));
        appendAll(outbox, "m", when, when + 500);
        get(outbox.append(1, batch(0, "quiet too")));
        appendAll(outbox, "m", when + 500, count);
        long dropped = ledger.snapshot().totals().dropped();
        assertThat(dropped).as("about 16 of 24 MB").isBetween(1_500L, 2_400L);
        stop();
        publisher = this::deliver;
        reopen(2);
        await().until(() -> ledger.snapshot().waiting() == 0);
        assertThat(published).contains("quiet").hasSize((int) (2 + count - dropped));
        assertThat(ledger.snapshot().totals().dropped()).isEqualTo(dropped);
        assertThat(ledger.snapshot().totals().quarantined()).isZero();
    }

    /** It was pinned when plans were larger; the heap may be smaller than it. */
    @Test
    void aLargePlanOfAnEarlierDefinitionIsStillReadFromDisk() throws Exception {
        namesByPlan = true;
        planBytes = 64 * MIB;
        planRecords = 5_000;
        OutboxVerticle outbox = open(1);
        begin(outbox, "first");
        appendAll(outbox, "m", 0, 4_000);
        assertThat(ledger.snapshot().waiting()).isEqualTo(4_001);
        stop();
        List<Integer> inline = new ArrayList<>();
        publisher = request -> {
            if (request.batch() instanceof InlineBatch) {
                inline.add(request.batch().count());
            }
            return request.batch().count() == 1 ? deliver(request) : refuse(request);
        };
        plans.clear();
        reopen(1);
        await().until(() -> plans.size() > 2);
        String large = plans.get(2);
        stop();
        planBytes = MIB;
        inline.clear();
        plans.clear();
        reopen(1);
        await().until(() -> !plans.isEmpty());
        assertThat(plans.get(0)).isEqualTo(large);
        assertThat(inline).isEmpty();
    }
}
