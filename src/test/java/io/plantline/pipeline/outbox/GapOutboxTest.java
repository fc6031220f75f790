package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.plantline.config.TargetDefinition.OnFull;
import io.plantline.pipeline.InlineBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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
        for (int i = 0; i < count; i++) {
            get(outbox.append(0, incompressible(8_192, "m" + i)));
            if (i > 0 && i % 1_500 == 0) {
                outbox = restart();
            }
        }
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

    /** It was pinned when plans were larger; the heap may be smaller than it. */
    @Test
    void aLargePlanOfAnEarlierDefinitionIsStillReadFromDisk() throws Exception {
        namesByPlan = true;
        planBytes = 64 * MIB;
        planRecords = 5_000;
        OutboxVerticle outbox = open(1);
        begin(outbox, "first");
        for (int i = 0; i < 4_000; i++) {
            outbox.append(0, incompressible(8_192, "m" + i));
        }
        await().until(() -> ledger.snapshot().waiting() == 4_001);
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
