package io.plantline.runtime;

import io.plantline.model.MessageBatch;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Outbox;
import io.plantline.pipeline.Unreleased;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;

/**
 * A target as the dispatcher sees it. Messages go to its present definition; but what an earlier one has stored is not taken
 * once more, and a release is for both.
 */
record Door(Outbox present, List<Outbox> former) implements Outbox {
    Door {
        former = List.copyOf(former);
    }

    @Override
    public int lanes() {
        return present.lanes();
    }

    @Override
    public Future<Void> append(int lane, MessageBatch batch, Identifiers identifiers) {
        return present.append(lane, batch, identifiers);
    }

    @Override
    public Future<Void> release(Identifiers identifiers) {
        if (former.isEmpty()) {
            return present.release(identifiers);
        }
        List<Future<Void>> released = new ArrayList<>();
        released.add(present.release(identifiers));
        former.forEach(outbox -> released.add(outbox.release(identifiers)));
        return Future.all(released).mapEmpty();
    }

    @Override
    public Future<Unreleased> stored(long generation) {
        Future<Unreleased> stored = present.stored(generation);
        for (Outbox outbox : former) {
            stored = stored.compose(before -> outbox.stored(generation).map(more -> {
                before.addAll(more);
                return before;
            }));
        }
        return stored;
    }
}
