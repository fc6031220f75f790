package io.plantline.pipeline.outbox;

import io.plantline.observe.TargetLedger;
import io.plantline.pipeline.outbox.log.Log;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the operator what the disk of an outbox does. */
final class DiskTrouble implements Log.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(DiskTrouble.class);

    private final String target;
    private final TargetLedger ledger;

    DiskTrouble(String target, TargetLedger ledger) {
        this.target = target;
        this.ledger = ledger;
    }

    @Override
    public void failing(Exception cause) {
        LOG.error(
                "OUTBOX-DISK: the disk refuses to write for {}, nothing is acknowledged until it does: {}",
                target,
                cause.toString());
        ledger.diskFailing(true);
    }

    @Override
    public void recovered() {
        LOG.info("the disk writes again for {}", target);
        ledger.diskFailing(false);
    }

    @Override
    public void ended(Error cause) {
        LOG.error(
                "OUTBOX-ENDED: nothing more is stored or acknowledged for {} until the program is started again",
                target,
                cause);
        ledger.diskEnded();
    }

    @Override
    public void quarantined(long segment, long from, long to, @Nullable String file) {
        LOG.error(
                "OUTBOX-CORRUPT: bytes {} to {} of segment {} of {} are damaged; {}",
                from,
                to,
                segment,
                target,
                file == null ? "they could not be copied" : "they are kept in " + file);
    }
}
