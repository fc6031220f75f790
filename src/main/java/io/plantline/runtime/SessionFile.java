package io.plantline.runtime;

import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.SessionMemory;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/** Which session of the broker's this is, and the filters in it, kept in a file. */
final class SessionFile implements SessionMemory {
    private static final String CLIENT_ID = "client-id";
    private static final String GENERATION = "generation";
    private static final String FILTERS = "filters";

    private final Vertx vertx;
    private final DurableFiles files;
    private final Path file;
    private final String clientId;
    private volatile long generation;
    private volatile Set<String> filters;

    private SessionFile(
            Vertx vertx, DurableFiles files, Path file, String clientId, long generation, Set<String> filters) {
        this.vertx = vertx;
        this.files = files;
        this.file = file;
        this.clientId = clientId;
        this.generation = generation;
        this.filters = filters;
    }

    /**
     * What is known of a client's session; another client identifier than the file's begins another one.
     *
     * @param connection of the client, from 0
     */
    static SessionFile read(Vertx vertx, DurableFiles files, Path file, String clientId, int connection)
            throws IOException {
        Properties known = properties(file);
        long none = Identifiers.firstGeneration(connection);
        long last = Long.parseLong(known.getProperty(GENERATION, Long.toString(none)));
        boolean same = clientId.equals(known.getProperty(CLIENT_ID));
        String filters = same ? known.getProperty(FILTERS, "") : "";
        Set<String> held = filters.isEmpty() ? Set.of() : Set.of(filters.split("\0"));
        SessionFile session = new SessionFile(vertx, files, file, clientId, last, held);
        if (!same) {
            session.write(last + 1, held);
        }
        return session;
    }

    private static Properties properties(Path file) throws IOException {
        Properties known = new Properties();
        if (Files.exists(file)) {
            known.load(new StringReader(Files.readString(file)));
        }
        return known;
    }

    /** Whether the broker may have subscriptions of this client there. */
    static boolean isInUse(Path file, String clientId) throws IOException {
        Properties known = properties(file);
        return clientId.equals(known.getProperty(CLIENT_ID))
                && !known.getProperty(FILTERS, "").isEmpty();
    }

    @Override
    public long current() {
        return generation;
    }

    @Override
    public Future<Long> next() {
        return vertx.executeBlocking(() -> write(generation + 1, Set.of()));
    }

    @Override
    public Set<String> filters() {
        return filters;
    }

    @Override
    public Future<Void> filters(Set<String> some) {
        return some.equals(filters)
                ? Future.succeededFuture()
                : vertx.executeBlocking(() -> write(generation, some)).mapEmpty();
    }

    private long write(long next, Set<String> some) throws IOException {
        Properties known = new Properties();
        known.setProperty(CLIENT_ID, clientId);
        known.setProperty(GENERATION, Long.toString(next));
        known.setProperty(FILTERS, String.join("\0", new TreeSet<>(some)));
        StringWriter text = new StringWriter();
        known.store(text, null);
        files.write(file, text.toString());
        generation = next;
        filters = some;
        return next;
    }
}
