package io.plantline.runtime;

import io.plantline.observe.ConfigurationReport;
import io.vertx.core.Future;

/** What an operator may ask a running program about its configuration. */
public interface Reloads {

    /** Which configuration runs. */
    Future<ConfigurationReport> configuration();

    /** Reads the document again, now, and completes with what came of it. */
    Future<ConfigurationReport> reload();
}
