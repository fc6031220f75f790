package io.plantline.plugin.processor.remote;

import io.plantline.model.Credential;
import io.plantline.model.Failure;
import io.plantline.model.FailureException;
import io.plantline.spi.Proxy;
import io.plantline.spi.TargetContext;
import io.vertx.circuitbreaker.CircuitBreaker;
import io.vertx.circuitbreaker.CircuitBreakerOptions;
import io.vertx.circuitbreaker.OpenCircuitException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ConnectionPoolTooBusyException;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.ext.web.client.HttpRequest;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Makes calls: with a deadline each, so many at once and no more, no redirects, and a limit on the answer. The circuit
 * breaker counts what says that the service is down; a service that answers, be it with 500, is up.
 */
final class Caller {
    /** So much later than the client's own limits, which know better what was waited for. */
    private static final long GRACE_MILLIS = 250;

    private final RemoteProcessorConfig config;
    private final TargetContext context;
    private final WebClient client;
    private final CircuitBreaker breaker;
    private final ArrayDeque<Promise<Void>> waiting = new ArrayDeque<>();
    private int calling;
    private boolean refreshCredential;

    /** What is posted. */
    record Request(
            byte[] body, String contentType, @Nullable String topic) {}

    /** What comes back with status 200 or 204. */
    record Response(int status, byte[] body, @Nullable String contentType) {}

    Caller(RemoteProcessorConfig config, TargetContext context) {
        this.config = config;
        this.context = context;
        this.client =
                WebClient.create(context.vertx(), options(config), pool(config)).addInterceptor(LimitedBody::from);
        this.breaker = CircuitBreaker.create(
                "processor-" + context.name(),
                context.vertx(),
                new CircuitBreakerOptions()
                        .setMaxFailures(5)
                        .setFailuresRollingWindow(10_000)
                        .setTimeout(config.timeout().toMillis() + 1_000)
                        .setResetTimeout(2_000)
                        .setNotificationAddress(null));
    }

    private static WebClientOptions options(RemoteProcessorConfig config) {
        WebClientOptions options = new WebClientOptions()
                .setFollowRedirects(false)
                .setKeepAlive(true)
                .setUserAgent("plantline");
        options.setConnectTimeout((int) Math.min(10_000, config.timeout().toMillis()));
        options.setVerifyHost(true);
        options.setTcpNoDelay(true);
        config.tls().ifPresent(tls -> tls.applyTo(options));
        config.proxy()
                .or(() -> Proxy.fromEnvironment(config.uri()))
                .map(Proxy::options)
                .ifPresent(options::setProxyOptions);
        return options;
    }

    private static PoolOptions pool(RemoteProcessorConfig config) {
        return new PoolOptions()
                .setHttp1MaxSize(config.maxConcurrency())
                .setMaxWaitQueueSize(2 * config.maxConcurrency());
    }

    /** Fails with a {@link FailureException}. */
    Future<Response> call(Request request) {
        Promise<Void> turn = Promise.promise();
        if (calling < config.maxConcurrency()) {
            calling++;
            turn.complete();
        } else {
            waiting.add(turn);
        }
        return turn.future().compose(v -> callNow(request)).onComplete(done -> {
            Promise<Void> next = waiting.poll();
            if (next == null) {
                calling--;
            } else {
                context.vertx().runOnContext(v -> next.complete());
            }
        });
    }

    private Future<Response> callNow(Request request) {
        return authorization()
                .compose(authorization -> breaker.<Outcome>execute(
                                promise -> sendTwice(request, authorization).onComplete(promise))
                        .recover(e -> Future.failedFuture(failure(e).asException()))
                        .compose(outcome -> outcome.refusal == null
                                ? Future.succeededFuture(outcome.response)
                                : Future.failedFuture(outcome.refusal.asException())));
    }

    /** A refusal is no reason to open the circuit: the service answers. */
    private record Outcome(
            @Nullable Response response, @Nullable Failure refusal) {}

    private Future<Optional<String>> authorization() {
        if (config.credential().isEmpty()) {
            return Future.succeededFuture(Optional.empty());
        }
        boolean refresh = refreshCredential;
        refreshCredential = false;
        return context.credential(config.credential().get(), refresh)
                .map(Caller::basic)
                .map(Optional::of);
    }

    private static String basic(Credential credential) {
        Buffer both = Buffer.buffer(credential.username() + ":").appendBytes(credential.password());
        return "Basic " + java.util.Base64.getEncoder().encodeToString(both.getBytes());
    }

    /** A server may close a kept connection in the moment in which it is used again; that says nothing about the server. */
    private Future<Outcome> sendTwice(Request request, Optional<String> authorization) {
        return send(request, authorization)
                .recover(first -> first instanceof HttpClosedException
                        ? send(request, authorization)
                                .recover(second -> Future.failedFuture(isReached(second) ? second : first))
                        : Future.failedFuture(first));
    }

    private Future<Outcome> send(Request request, Optional<String> authorization) {
        HttpRequest<Buffer> call = client.requestAbs(
                        HttpMethod.POST, config.uri().toString())
                .ssl("https".equals(config.uri().getScheme()))
                .timeout(config.timeout().toMillis())
                .putHeader("Content-Type", request.contentType());
        authorization.ifPresent(value -> call.putHeader("Authorization", value));
        if (request.topic() != null) {
            call.putHeader("Plantline-Topic", header(request.topic()));
        }
        Promise<Outcome> answered = Promise.promise();
        LimitedBody body = new LimitedBody(
                config.maxResponseSize(),
                () -> answered.tryComplete(new Outcome(
                        null,
                        Failure.retry("response-too-large", "more than " + config.maxResponseSize() + " bytes"))));
        // The client's own timeout ends with the first byte of the answer.
        long deadline = context.vertx().setTimer(config.timeout().toMillis() + GRACE_MILLIS, id -> {
            answered.tryFail(new TimeoutException("no whole answer within " + config.timeout()));
            body.stop();
        });
        call.as(body)
                .sendBuffer(Buffer.buffer(request.body()))
                .map(this::outcome)
                .onComplete(done -> {
                    context.vertx().cancelTimer(deadline);
                    if (done.succeeded()) {
                        answered.tryComplete(done.result());
                    } else {
                        answered.tryFail(done.cause());
                    }
                });
        return answered.future();
    }

    /** A topic may hold what a header may not; those characters are percent-encoded. */
    private static String header(String topic) {
        StringBuilder text = new StringBuilder();
        for (byte b : topic.getBytes(StandardCharsets.UTF_8)) {
            if (b > 0x20 && b < 0x7F && b != '%') {
                text.append((char) b);
            } else {
                text.append('%').append(java.util.HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return text.toString();
    }

    private Outcome outcome(HttpResponse<byte[]> response) {
        int status = response.statusCode();
        if (status == 200 || status == 204) {
            return new Outcome(new Response(status, response.body(), response.getHeader("Content-Type")), null);
        }
        String where = config.processorId() + " answered " + status;
        switch (status) {
            case 400, 413, 415, 422:
                return new Outcome(null, Failure.reject("status-" + status, where));
            case 401, 403:
                refreshCredential = true;
                return new Outcome(null, Failure.operator("status-" + status, where));
            case 404:
                return new Outcome(null, Failure.operator("status-404", where));
            // The service, or what is in front of it, is down: thrown, so that the circuit counts it.
            case 502, 504:
                throw Failure.retry("status-" + status, where).asException();
            case 503:
                throw Failure.notTried("status-503", where).asException();
            case 429:
                return new Outcome(null, Failure.notTried("status-429", where));
            default:
                return new Outcome(null, Failure.retry("status-" + status, where));
        }
    }

    private Failure failure(Throwable e) {
        if (e instanceof FailureException failure) {
            return failure.failure();
        }
        if (e instanceof OpenCircuitException) {
            return Failure.notTried("circuit-open", config.uri().getAuthority() + " failed too often lately");
        }
        String where = config.uri().getAuthority() + ": " + e.getMessage();
        // What was asked may be why there is no answer: one message can hang a service, or end it.
        return isReached(e) ? Failure.retry("no-answer", where) : Failure.notTried("unreachable", where);
    }

    /** Whether the service may have seen the request: whatever else went wrong, but for what ends before a request is sent. */
    private static boolean isReached(Throwable e) {
        return !(e instanceof ConnectException
                || e instanceof NoRouteToHostException
                || e instanceof UnknownHostException
                || e instanceof SSLException
                || e instanceof ConnectionPoolTooBusyException);
    }

    Future<Void> close() {
        Promise<Void> closed = Promise.promise();
        breaker.close();
        client.close();
        closed.complete();
        return closed.future();
    }
}
