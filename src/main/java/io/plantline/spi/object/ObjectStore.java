package io.plantline.spi.object;

import io.plantline.model.Plan;
import io.vertx.core.Future;
import java.io.IOException;
import java.io.OutputStream;

/** Where the objects of a plan go. */
@FunctionalInterface
public interface ObjectStore {

    /** Begins an object; on a worker thread. */
    Draft begin(Plan plan, String key) throws IOException;

    /** An object that nobody sees yet. */
    interface Draft {
        /**
         * Takes its bytes, on worker threads, and may wait there for some to leave. What goes wrong is told by {@link
         * #publish}: one object that cannot be written does not keep others from it.
         */
        OutputStream stream();

        /**
         * Shows the object under its key, whole, unless an earlier attempt at the plan has.
         *
         * @return fails with a {@link io.plantline.model.FailureException} that says who must act
         */
        Future<Void> publish();

        /** Forgets what was written; an object that an earlier attempt has shown stays. */
        Future<Void> discard();
    }
}
