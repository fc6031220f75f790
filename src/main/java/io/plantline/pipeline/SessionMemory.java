package io.plantline.pipeline;

import io.vertx.core.Future;
import java.util.Set;

/**
 * What is known of the session that the broker has for us. It is numbered: packet identifiers mean something within one
 * session only, so a new one is written down before anything is received in it. Its filters are written down before they
 * are subscribed, so that none is forgotten that the broker still sends messages for.
 */
public interface SessionMemory {

    /** The session of now. */
    long current();

    /** The broker has begun a new session; completes with its number when that is durable. */
    Future<Long> next();

    /** Filters that the broker may have in this session. */
    Set<String> filters();

    /** The broker may have these filters, and no others; completes when that is durable. */
    Future<Void> filters(Set<String> filters);

    /** Counts in memory, where nothing outlives the process. */
    static SessionMemory inMemory() {
        return new SessionMemory() {
            private long generation = 1;

            @Override
            public long current() {
                return generation;
            }

            @Override
            public Future<Long> next() {
                return Future.succeededFuture(++generation);
            }

            @Override
            public Set<String> filters() {
                return Set.of();
            }

            @Override
            public Future<Void> filters(Set<String> filters) {
                return Future.succeededFuture();
            }
        };
    }
}
