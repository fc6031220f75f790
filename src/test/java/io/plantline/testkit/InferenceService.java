package io.plantline.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** A small model server over real HTTP, whose answers the test decides. */
public final class InferenceService implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<Request> requests = new ConcurrentLinkedQueue<>();
    private volatile Function<Request, Reply> model;

    /** What was asked. */
    public record Request(String path, String topic, String contentType, String authorization, byte[] body) {}

    /** What is answered. */
    public record Reply(int status, byte[] body, String contentType) {
        public static Reply ok(byte[] body) {
            return new Reply(200, body, "application/json");
        }

        public static Reply status(int status) {
            return new Reply(status, new byte[0], null);
        }
    }

    private InferenceService(HttpServer server, Function<Request, Reply> model) {
        this.server = server;
        this.model = model;
    }

    public static InferenceService start(Function<Request, Reply> model) {
        return startOn(0, model);
    }

    public static InferenceService startOn(int port, Function<Request, Reply> model) {
        // Head and body of an answer leave apart: without this the second waits 40 ms for the acknowledgement of the
        // first.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            InferenceService service = new InferenceService(server, model);
            server.setExecutor(service.threads);
            server.createContext("/", service::answer);
            server.start();
            return service;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void model(Function<Request, Reply> next) {
        model = next;
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public List<Request> requests() {
        return List.copyOf(requests);
    }

    private void answer(HttpExchange exchange) throws IOException {
        Request request = new Request(
                exchange.getRequestURI().getRawPath(),
                exchange.getRequestHeaders().getFirst("Plantline-Topic"),
                exchange.getRequestHeaders().getFirst("Content-Type"),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestBody().readAllBytes());
        requests.add(request);
        Reply reply = model.apply(request);
        if (reply.contentType() != null) {
            exchange.getResponseHeaders().set("Content-Type", reply.contentType());
        }
        if (reply.status() >= 300 && reply.status() < 400) {
            exchange.getResponseHeaders().set("Location", url() + "/elsewhere");
        }
        exchange.sendResponseHeaders(reply.status(), reply.body().length == 0 ? -1 : reply.body().length);
        if (reply.body().length > 0) {
            exchange.getResponseBody().write(reply.body());
        }
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
