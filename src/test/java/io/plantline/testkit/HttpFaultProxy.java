package io.plantline.testkit;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.HostAndPort;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** An HTTP proxy in front of one server, which fails requests as networks and services do. Counts what it did. */
public final class HttpFaultProxy implements AutoCloseable {
    private static final String ERROR = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>""";

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client = vertx.createHttpClient();
    private final int upstream;
    private final HttpServer server;
    private final AtomicInteger faults = new AtomicInteger();
    private volatile Fault fault = Fault.NONE;
    private volatile int status;
    private volatile Predicate<HttpServerRequest> concerned = request -> true;
    private volatile Tap tap = (answered, method) -> true;

    /** Sees each request before it passes, and its answer before that does. */
    @FunctionalInterface
    public interface Tap {
        /** Whether it passes; if not, its connection is closed. */
        boolean passes(boolean answered, String method);
    }

    /** What happens to a request. */
    public enum Fault {
        NONE,
        /** The connection is closed before the server sees anything. */
        DOWN,
        /** The server does what it is asked for, and its answer is lost. */
        ANSWER_LOST,
        /** A status instead of the server's. */
        STATUS,
        /** No answer, and the server sees nothing. */
        HANG,
        /** Success, and then it says that there was none: S3 does so where an answer takes long. */
        ERROR_IN_BODY,
        /** One bit of the body changes on its way. */
        BIT_FLIPPED
    }

    private HttpFaultProxy(int upstream) {
        this.upstream = upstream;
        this.server = vertx.createHttpServer(new HttpServerOptions().setHandle100ContinueAutomatically(true))
                .requestHandler(this::handle)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .join();
    }

    public static HttpFaultProxy to(int port) {
        return new HttpFaultProxy(port);
    }

    public String url() {
        return "http://127.0.0.1:" + server.actualPort();
    }

    public void tap(Tap next) {
        tap = next;
    }

    /** From now on; returns how many requests were failed before. */
    public int fault(Fault next) {
        fault = next;
        return faults.getAndSet(0);
    }

    /** Faults happen to these requests only. */
    public HttpFaultProxy only(Predicate<HttpServerRequest> some) {
        concerned = some;
        return this;
    }

    /** Answers with this status from now on. */
    public int status(int code) {
        status = code;
        return fault(Fault.STATUS);
    }

    private void handle(HttpServerRequest request) {
        Fault now = concerned.test(request) ? fault : Fault.NONE;
        if (now != Fault.NONE) {
            faults.incrementAndGet();
        }
        if (now == Fault.DOWN || !tap.passes(false, request.method().name())) {
            request.connection().close();
            return;
        }
        request.body()
                .compose(body -> switch (now) {
                    case HANG -> Future.<Void>succeededFuture();
                    case STATUS -> request.response().setStatusCode(status).end();
                    case ERROR_IN_BODY -> request.response().end(ERROR);
                    case BIT_FLIPPED -> forward(request, flipped(body), false);
                    default -> forward(request, body, now == Fault.ANSWER_LOST);
                })
                .onFailure(e -> request.connection().close());
    }

    private static Buffer flipped(Buffer body) {
        int at = body.length() / 2;
        return body.setByte(at, (byte) (body.getByte(at) ^ 1));
    }

    private Future<Void> forward(HttpServerRequest request, Buffer body, boolean lost) {
        RequestOptions options = new RequestOptions()
                .setMethod(request.method())
                .setHost("127.0.0.1")
                .setPort(upstream)
                .setURI(request.uri());
        return client.request(options)
                .compose(out -> {
                    // Signatures cover the host that was asked.
                    out.authority(HostAndPort.parseAuthority(request.getHeader(HttpHeaders.HOST), -1));
                    request.headers().forEach(header -> {
                        if (!header.getKey().equalsIgnoreCase("Host")
                                && !header.getKey().equalsIgnoreCase("Expect")
                                && !header.getKey().equalsIgnoreCase("Transfer-Encoding")) {
                            out.putHeader(header.getKey(), header.getValue());
                        }
                    });
                    return out.send(body);
                })
                .compose(answer -> answer.body().compose(bytes -> {
                    if (lost || !tap.passes(true, request.method().name())) {
                        return request.connection().close();
                    }
                    request.response().setStatusCode(answer.statusCode());
                    answer.headers().forEach(header -> {
                        if (!header.getKey().equalsIgnoreCase("Transfer-Encoding")) {
                            request.response().putHeader(header.getKey(), header.getValue());
                        }
                    });
                    return request.response().end(bytes);
                }));
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
