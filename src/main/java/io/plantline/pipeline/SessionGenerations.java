package io.plantline.pipeline;

import io.vertx.core.Future;

/**
 * Numbers the sessions that the broker has had for us. Packet identifiers mean something within one of them only, so a new
 * one is written down before anything is received in it.
 */
public interface SessionGenerations {

    /** The session of now. */
    long current();

    /** The broker has begun a new session; completes with its number when that is durable. */
    Future<Long> next();

    /** Counts in memory, where nothing outlives the process. */
    static SessionGenerations inMemory() {
        return new SessionGenerations() {
            private long generation = 1;

            @Override
            public long current() {
                return generation;
            }

            @Override
            public Future<Long> next() {
                return Future.succeededFuture(++generation);
            }
        };
    }
}
