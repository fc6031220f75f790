package io.plantline.runtime;

import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.SessionMemory;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which session of the broker's this is, and the filters in it, kept in a file. */
final class SessionFile implements SessionMemory {
    private static final Logger LOG = LoggerFactory.getLogger(SessionFile.class);
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
     * What is known of a client's session; another client identifier than the file's begins another one. A file that cannot be
     * understood is kept aside: what the broker sends again of its session is then stored again.
     *
     * @param connection of the client, from 0
     */
    static SessionFile read(Vertx vertx, DurableFiles files, Path file, String clientId, int connection)
            throws IOException {
        Kept kept = Kept.NOTHING;
        try {
            kept = Kept.in(file);
        } catch (DamagedException e) {
            Path aside = file.resolveSibling(file.getFileName() + ".damaged");
            Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
            LOG.error("SESSION-DAMAGED: {} cannot be read and is kept as {}; {}", file, aside, e.getMessage());
        }
        boolean same = clientId.equals(kept.clientId);
        SessionFile session = new SessionFile(
                vertx,
                files,
                file,
                clientId,
                // Logs may hold identifiers of sessions that nobody remembers; none has counted a session each
                // millisecond.
                kept.generation.orElse(Identifiers.firstGeneration(connection) + System.currentTimeMillis()),
                same ? kept.filters : Set.of());
        if (!same) {
            session.write(session.generation + 1, session.filters);
        }
        return session;
    }

    /** Whether the broker may have subscriptions of this client there. */
    static boolean isInUse(Path file, String clientId) throws IOException {
        try {
            Kept kept = Kept.in(file);
            return clientId.equals(kept.clientId) && !kept.filters.isEmpty();
        } catch (DamagedException e) {
            return true;
        }
    }

    private static final class DamagedException extends Exception {
        private static final long serialVersionUID = 1L;

        DamagedException(String message) {
            super(message);
        }
    }

    /** What a file says. */
    private record Kept(@Nullable String clientId, OptionalLong generation, Set<String> filters) {
        static final Kept NOTHING = new Kept(null, OptionalLong.empty(), Set.of());

        static Kept in(Path file) throws IOException, DamagedException {
            if (!Files.exists(file)) {
                return NOTHING;
            }
            try {
                Properties known = new Properties();
                known.load(new StringReader(Files.readString(file)));
                String clientId = known.getProperty(CLIENT_ID);
                String filters = known.getProperty(FILTERS);
                if (clientId == null || filters == null) {
                    throw new DamagedException("it has no " + (clientId == null ? CLIENT_ID : FILTERS));
                }
                return new Kept(
                        clientId,
                        OptionalLong.of(Long.parseLong(known.getProperty(GENERATION))),
                        filters.isEmpty() ? Set.of() : Set.of(filters.split("\0")));
            } catch (CharacterCodingException | IllegalArgumentException e) {
                throw new DamagedException(e.toString());
            }
        }
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
