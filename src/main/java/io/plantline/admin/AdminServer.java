package io.plantline.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.plantline.config.MutualTls;
import io.plantline.runtime.Operations;
import io.plantline.runtime.Reloads;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes commands on a loopback port of its own choice: port and token are in a file that only the program's user can read. And, if
 * it is told to, by mutual TLS at an address of the operator's choice: who has a certificate of the authority needs no token.
 *
 * <pre>
 *  GET  /outboxes
 *  POST /outboxes/TARGET/purge?tried=BOOLEAN
 *  POST /outboxes/TARGET/retarget?to=TARGET&amp;tried=BOOLEAN
 *  GET  /configuration
 *  POST /configuration/reload
 *  GET  /dead-letters/TARGET?from=ID&amp;limit=N
 *  POST /dead-letters/TARGET/purge?up-to=ID
 *  POST /dead-letters/TARGET/replay?to=TARGET&amp;up-to=ID
 * </pre>
 */
public final class AdminServer extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(AdminServer.class);
    private static final int TOKEN_BYTES = 24;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Operations operations;
    private final Reloads reloads;
    private final @Nullable Path file;
    private final @Nullable Remote remote;
    private final String token;

    /**
     * A server that does not listen yet.
     *
     * @param file for port and token; null: no commands by loopback
     * @param remote where commands are taken by mutual TLS; null: nowhere
     */
    public AdminServer(Operations operations, Reloads reloads, @Nullable Path file, @Nullable Remote remote) {
        this.remote = remote;
        this.operations = operations;
        this.reloads = reloads;
        this.file = file;
        byte[] bits = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(bits);
        this.token = HexFormat.of().formatHex(bits);
    }

    /**
     * Where commands are taken by mutual TLS.
     *
     * @param tls what the server shows, and whom it trusts
     */
    public record Remote(String address, int port, MutualTls tls) {
        private HttpServerOptions options() {
            HttpServerOptions options =
                    new HttpServerOptions().setHost(address).setPort(port).setClientAuth(ClientAuth.REQUIRED);
            tls.applyTo(options);
            return options;
        }
    }

    /** Listens, and writes down where. */
    @Override
    public Future<?> start() {
        Path written = file;
        Future<?> local = written == null
                ? Future.succeededFuture()
                : vertx.createHttpServer(
                                new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                        .requestHandler(this::handleWithToken)
                        .listen()
                        .compose(listening -> vertx.executeBlocking(() -> {
                            write(written, listening.actualPort() + "\n" + token + "\n");
                            return null;
                        }));
        Remote other = remote;
        return other == null
                ? local
                : local.compose(v -> vertx.createHttpServer(other.options())
                                .requestHandler(this::handle)
                                .listen())
                        .onSuccess(listening -> LOG.info(
                                "commands are taken at https://{}:{}/ from holders of a certificate",
                                other.address(),
                                listening.actualPort()));
    }

    private static void write(Path file, String text) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".tmp");
        Files.deleteIfExists(draft);
        Files.createFile(draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(draft, text);
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void handleWithToken(HttpServerRequest request) {
        if (isAllowed(request.getHeader("Authorization"))) {
            handle(request);
        } else {
            LOG.warn("ADMIN-REFUSED: a command without the right token");
            request.response().setStatusCode(401).end("the token is wrong\n");
        }
    }

    private void handle(HttpServerRequest request) {
        Future<?> answer;
        try {
            answer = answer(request);
        } catch (NumberFormatException e) {
            request.response().setStatusCode(400).end("that is not a number\n");
            return;
        }
        answer.onSuccess(result -> write(request, result)).onFailure(e -> {
            boolean refused = e instanceof Operations.RefusedException;
            if (!refused) {
                LOG.error("ADMIN-FAILED: {} {}", request.method(), request.path(), e);
            }
            request.response().setStatusCode(refused ? 409 : 500).end(e.getMessage() + "\n");
        });
    }

    private Future<?> answer(HttpServerRequest request) {
        String[] path = request.path().substring(1).split("/", -1);
        boolean get = request.method().equals(HttpMethod.GET);
        if (get && path.length == 1 && path[0].equals("outboxes")) {
            return operations.outboxes();
        } else if (!get && path.length == 3 && path[0].equals("outboxes")) {
            String to = request.getParam("to");
            boolean tried = Boolean.parseBoolean(request.getParam("tried", "false"));
            if (path[2].equals("retarget") && to != null) {
                LOG.warn("ADMIN: what waits for {} goes to {}", path[1], to);
                return operations.moveWaiting(path[1], to, tried);
            } else if (path[2].equals("purge")) {
                LOG.warn("ADMIN: what waits for {} is purged", path[1]);
                return operations.moveWaiting(path[1], null, tried);
            }
        } else if (get && request.path().equals("/configuration")) {
            return reloads.configuration();
        } else if (!get && request.path().equals("/configuration/reload")) {
            return reloads.reload();
        } else if (path[0].equals("dead-letters") && path.length > 1) {
            String target = path[1];
            if (get && path.length == 2) {
                return operations.deadLetters(
                        target,
                        Long.parseLong(request.getParam("from", "0")),
                        Integer.parseInt(request.getParam("limit", "100")));
            } else if (!get && path.length == 3) {
                long upTo = Long.parseLong(request.getParam("up-to", "0"));
                if (path[2].equals("purge")) {
                    LOG.warn("ADMIN: dead letters of {} up to {} are purged", target, upTo);
                    return operations.purgeDeadLetters(target, upTo);
                } else if (path[2].equals("replay")) {
                    LOG.warn("ADMIN: dead letters of {} up to {} are replayed", target, upTo);
                    return operations.replayDeadLetters(target, request.getParam("to", target), upTo);
                }
            }
        }
        return Future.failedFuture(new Operations.RefusedException("there is no command " + request.path()));
    }

    private static void write(HttpServerRequest request, Object result) {
        try {
            request.response().putHeader("Content-Type", "application/json").end(JSON.writeValueAsString(result));
        } catch (JsonProcessingException e) {
            request.response().setStatusCode(500).end(e.getMessage() + "\n");
        }
    }

    private boolean isAllowed(@Nullable String authorization) {
        return authorization != null
                && MessageDigest.isEqual(
                        authorization.getBytes(StandardCharsets.UTF_8),
                        ("Bearer " + token).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public Future<?> stop() {
        Path written = file;
        if (written == null) {
            return Future.succeededFuture();
        }
        return vertx.executeBlocking(() -> Files.deleteIfExists(written)).otherwise(e -> {
            LOG.warn("{} stays, the next start replaces it: {}", written, e.toString());
            return false;
        });
    }
}
