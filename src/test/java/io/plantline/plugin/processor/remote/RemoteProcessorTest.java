package io.plantline.plugin.processor.remote;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.spi.Processed;
import io.plantline.testkit.ConnectProxy;
import io.plantline.testkit.InferenceService;
import io.plantline.testkit.InferenceService.Reply;
import io.plantline.testkit.InferenceService.Request;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a real HTTP server. */
class RemoteProcessorTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TestContext context = new TestContext(null);
    private InferenceService service;

    @AfterEach
    void close() {
        if (service != null) {
            service.close();
        }
        context.close();
    }

    private RemoteProcessor processor(String more, Function<Request, Reply> model) {
        service = InferenceService.start(model);
        return processor(service.url() + "/api/v1", more);
    }

    private RemoteProcessor processor(String url, String more) {
        RemoteProcessorConfig config = Sections.processor(
                "{\"type\": \"remote\", \"base-url\": \"" + url + "\", \"processor-id\": \"model 1\"" + more + "}");
        RemoteProcessor[] made = new RemoteProcessor[1];
        context.call(() -> {
            made[0] = new RemoteProcessor(config, context);
            return io.vertx.core.Future.succeededFuture();
        });
        return made[0];
    }

    private Processed process(RemoteProcessor processor, MessageBatch batch) {
        return context.call(() -> processor.process(batch));
    }

    private static List<String> outputs(Processed processed) {
        List<String> outputs = new ArrayList<>();
        MessageCursor message = processed.output().cursor();
        while (message.next()) {
            outputs.add(message.sequence() + ":" + message.topic() + "=" + new String(message.payload()));
        }
        return outputs;
    }

    private static MessageBatch numbers(int count) {
        String[] messages = new String[count];
        java.util.Arrays.setAll(messages, i -> "t=" + i);
        return TestContext.batch(messages);
    }

    @Test
    void postsThePayloadAndTakesTheAnswer() {
        RemoteProcessor processor = processor("", request -> Reply.ok((new String(request.body()) + "!").getBytes()));
        Processed processed = process(processor, TestContext.batch("a/ü%b=1", "c=2"));
        assertThat(outputs(processed)).containsExactly("1:a/ü%b=1!", "2:c=2!");
        assertThat(service.requests()).anySatisfy(request -> {
            assertThat(request.path()).isEqualTo("/api/v1/model%201");
            assertThat(request.topic()).isEqualTo("a/%C3%BC%25b");
            assertThat(request.contentType()).isEqualTo("application/json");
        });
    }

    @Test
    void aKeptConnectionThatTheServerHasClosedIsNoFailure() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread serving = new Thread(() -> answerOncePerConnection(server), "closing-server");
            serving.setDaemon(true);
            serving.start();
            RemoteProcessor processor =
                    processor("http://127.0.0.1:" + server.getLocalPort(), ", \"max-concurrency\": 1");
            for (int i = 0; i < 20; i++) {
                assertThat(outputs(process(processor, numbers(1)))).containsExactly("1:t=ok");
            }
        }
    }

    /** Answers the first request of each connection, and closes it without a word when the second one is there. */
    private static void answerOncePerConnection(ServerSocket server) {
        byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes();
        try {
            while (true) {
                try (Socket connection = server.accept()) {
                    connection.getInputStream().read(new byte[4_096]);
                    connection.getOutputStream().write(answer);
                    connection.getInputStream().read(new byte[1]);
                }
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    @Test
    void asksThroughAProxy() {
        try (ConnectProxy proxy = ConnectProxy.start()) {
            RemoteProcessor processor =
                    processor(", \"proxy\": \"" + proxy.address() + "\"", request -> Reply.ok("answer".getBytes()));
            assertThat(outputs(process(processor, TestContext.batch("a=1")))).containsExactly("1:a=answer");
            assertThat(proxy.requests()).isNotEmpty();
        }
    }

    @Test
    void keepsTheOrderWhateverAnswersFirst() {
        RemoteProcessor processor = processor("", request -> {
            if (Integer.parseInt(new String(request.body())) % 3 == 0) {
                LockSupport.parkNanos(20_000_000);
            }
            return Reply.ok(request.body());
        });
        List<String> outputs = outputs(process(processor, numbers(30)));
        for (int i = 0; i < 30; i++) {
            assertThat(outputs.get(i)).isEqualTo((i + 1) + ":t=" + i);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "400, REJECT",
        "413, REJECT",
        "415, REJECT",
        "422, REJECT",
        "401, OPERATOR",
        "403, OPERATOR",
        "404, OPERATOR",
        "302, RETRY",
        "429, RETRY",
        "500, RETRY",
        "503, RETRY",
    })
    void aStatusSaysWhoMustAct(int status, Failure.Kind kind) {
        RemoteProcessor processor = processor("", request -> Reply.status(status));
        Processed processed = process(processor, TestContext.batch("t=1"));
        assertThat(processed.failed().get(1L).kind()).isEqualTo(kind);
        assertThat(service.requests()).as("redirects are not followed").hasSize(1);
    }

    @Test
    void noContentFilters() {
        RemoteProcessor processor = processor(
                "", request -> new String(request.body()).equals("1") ? Reply.status(204) : Reply.ok(request.body()));
        Processed processed = process(processor, numbers(3));
        assertThat(processed.filtered()).containsExactly(2L);
        assertThat(outputs(processed)).containsExactly("1:t=0", "3:t=2");
    }

    @Test
    void aSlowAnswerIsGivenUpAtItsDeadline() {
        RemoteProcessor processor = processor(", \"timeout\": \"200ms\"", request -> {
            LockSupport.parkNanos(1_000_000_000);
            return Reply.ok(request.body());
        });
        long start = System.nanoTime();
        Failure failure = process(processor, TestContext.batch("t=1")).failed().get(1L);
        assertThat(failure.kind()).isEqualTo(Failure.Kind.RETRY);
        assertThat(failure.tried()).as("one message may hang the service").isTrue();
        assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(900);
    }

    @Test
    void aHugeAnswerIsRefused() {
        RemoteProcessor processor =
                processor(", \"max-response-size\": \"10KiB\"", request -> Reply.ok(new byte[5_000_000]));
        Failure failure = process(processor, TestContext.batch("t=1")).failed().get(1L);
        assertThat(failure.kind()).isEqualTo(Failure.Kind.RETRY);
        assertThat(failure.code()).isEqualTo("response-too-large");
        assertThat(failure.tried()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "a body without an end, no-answer",
        "too much, response-too-large",
        "garbage, no-answer",
        "an end without a word, no-answer",
    })
    void whatAServiceMakesOfOneMessageCountsAgainstIt(String how, String code) throws Exception {
        CompletableFuture<Void> left = new CompletableFuture<>();
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread serving = new Thread(() -> answerBadly(server, how, left), "bad-server");
            serving.setDaemon(true);
            serving.start();
            RemoteProcessor processor = processor(
                    "http://127.0.0.1:" + server.getLocalPort(),
                    ", \"timeout\": \"300ms\", \"max-response-size\": \"10KiB\"");
            Failure failure = process(processor, numbers(1)).failed().get(1L);
            assertThat(failure.kind()).isEqualTo(Failure.Kind.RETRY);
            assertThat(failure.code()).isEqualTo(code);
            assertThat(failure.tried()).isTrue();
            left.get(5, TimeUnit.SECONDS); // What answers so has no connection for ever.
        }
    }

    private static void answerBadly(ServerSocket server, String how, CompletableFuture<Void> left) {
        try (Socket connection = server.accept()) {
            connection.getInputStream().read(new byte[4_096]);
            OutputStream out = connection.getOutputStream();
            switch (how) {
                case "garbage":
                    out.write("SSH-2.0-OpenSSH_9.2\r\n\r\n".getBytes());
                    break;
                case "an end without a word":
                    server.close(); // Nor is there another one to connect to.
                    left.complete(null);
                    return;
                default:
                    out.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".getBytes());
                    byte[] chunk = how.equals("too much")
                            ? ("1000\r\n" + "x".repeat(4_096) + "\r\n").getBytes()
                            : "1\r\nx\r\n".getBytes();
                    while (true) {
                        out.write(chunk);
                        LockSupport.parkNanos(how.equals("too much") ? 0 : 50_000_000);
                    }
            }
            connection.getInputStream().read();
            left.complete(null);
        } catch (IOException e) {
            left.complete(null); // The other side has closed it.
        }
    }

    @Test
    void aServiceThatIsDownOpensTheCircuitAndEveryMessageIsAccountedFor() {
        RemoteProcessor processor = processor("", request -> Reply.ok(request.body()));
        service.close();
        Processed processed = process(processor, numbers(2_000));
        assertThat(processed.failed()).hasSize(2_000);
        assertThat(processed.failed().values()).allMatch(failure -> !failure.tried());
        assertThat(processed.failed().values())
                .anyMatch(failure -> failure.code().equals("circuit-open"));
    }

    @Test
    void moreMessagesThanCallsAtOnceOverloadNobody() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        RemoteProcessor processor = processor(", \"max-concurrency\": 4", request -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            LockSupport.parkNanos(2_000_000);
            now.decrementAndGet();
            return Reply.ok(request.body());
        });
        List<CompletableFuture<Processed>> runs = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            runs.add(CompletableFuture.supplyAsync(() -> process(processor, numbers(50))));
        }
        runs.forEach(run -> assertThat(run.join().failed()).isEmpty());
        assertThat(most.get()).isLessThanOrEqualTo(4);
    }

    private static Reply array(Request request, Function<JsonNode, Object> model) {
        try {
            ArrayNode results = JSON.createArrayNode();
            for (JsonNode item : JSON.readTree(request.body())) {
                results.addPOJO(model.apply(item));
            }
            return Reply.ok(JSON.writeValueAsBytes(results));
        } catch (IOException | RuntimeException e) {
            return Reply.status(422);
        }
    }

    @Test
    void batchesPostAnArrayAndExpectAResultPerItem() {
        RemoteProcessor processor =
                processor(", \"batch-size\": 10", request -> array(request, item -> item.asInt() * 2));
        Processed processed = process(processor, numbers(25));
        assertThat(outputs(processed)).hasSize(25).contains("25:t=48");
        assertThat(service.requests()).hasSize(3);
    }

    @Test
    void aBatchThatFailsAsAWholeIsHalvedUntilThePoisonStandsAlone() {
        RemoteProcessor processor = processor(
                ", \"batch-size\": 16",
                request -> array(request, item -> {
                    if (item.asInt() == 11) {
                        throw new IllegalStateException("poison");
                    }
                    return item.asInt();
                }));
        Processed processed = process(processor, numbers(16));
        assertThat(processed.failed()).containsOnlyKeys(12L);
        assertThat(processed.failed().get(12L).kind()).isEqualTo(Failure.Kind.REJECT);
        assertThat(outputs(processed)).hasSize(15);
    }

    @Test
    void aPoisonMessageThatTheServiceAnswersWithFiveHundredStandsAlone() {
        RemoteProcessor processor = processor(
                ", \"batch-size\": 16",
                request -> new String(request.body()).contains("11")
                        ? Reply.status(500)
                        : array(request, JsonNode::asInt));
        Processed processed = process(processor, numbers(16));
        assertThat(processed.failed()).containsOnlyKeys(12L);
        assertThat(processed.failed().get(12L).tried()).isTrue();
        assertThat(outputs(processed)).hasSize(15);
    }

    @Test
    void aServiceThatFailsWhateverItGetsIsNotAskedAboutEachMessage() {
        RemoteProcessor processor =
                processor(", \"batch-size\": 100, \"max-concurrency\": 1", request -> Reply.status(500));
        assertThat(process(processor, numbers(100)).failed()).hasSize(100);
        assertThat(service.requests()).hasSizeLessThan(30);
    }

    @Test
    void textIsAskedOfTheOpenInferenceProtocolAndNothingIsAltered() {
        RemoteProcessor processor = processor(
                ", \"protocol\": \"open-inference-v2\"",
                request -> Reply.ok("{\"outputs\":[{\"data\":[\"answer\"]}]}".getBytes()));
        MessageBatch.Builder batch = new MessageBatch.Builder(100);
        TestContext.add(batch, "t", new byte[] {(byte) 0xFF, 0}, MessageProperties.NONE);
        TestContext.add(batch, "t", "text".getBytes(), MessageProperties.NONE);
        Processed processed = process(processor, batch.build());
        assertThat(processed.failed().values()).singleElement().satisfies(failure -> {
            assertThat(failure.kind()).isEqualTo(Failure.Kind.REJECT);
            assertThat(failure.code()).isEqualTo("not-utf-8");
        });
        assertThat(outputs(processed)).hasSize(1);
    }

    @Test
    void numbersStayAsTheyAreWritten() {
        RemoteProcessor processor = processor(", \"batch-size\": 2", request -> Reply.ok(request.body()));
        String[] messages = {"t=100.0", "t={\"a\":1.00,\"b\":0.1000000000000000055511151231257827}"};
        assertThat(outputs(process(processor, TestContext.batch(messages))))
                .containsExactly("1:" + messages[0], "2:" + messages[1]);
        assertThat(new String(service.requests().get(0).body())).contains("100.0", "1.00");
    }

    /** A publisher can write anything there, and must not make a service look broken. */
    @ParameterizedTest
    @ValueSource(strings = {"text/plain\n", "text/plain\r\nX: y", "type/ü", " "})
    void aContentTypeThatNoHeaderCanCarryIsNotSent(String named) {
        RemoteProcessor processor = processor("", request -> Reply.ok("answer".getBytes()));
        MessageBatch.Builder batch = new MessageBatch.Builder(100);
        TestContext.add(batch, "t", "x".getBytes(), new MessageProperties(named, null, List.of()));
        assertThat(outputs(process(processor, batch.build().numberedFrom(1)))).containsExactly("1:t=answer");
        assertThat(service.requests().get(0).contentType()).isEqualTo("application/json");
    }

    @Test
    void aPayloadThatIsNoJsonDoesNotSpoilItsNeighbours() {
        RemoteProcessor processor = processor(", \"batch-size\": 4", request -> array(request, JsonNode::asInt));
        Processed processed = process(processor, TestContext.batch("t=1", "t={", "t=3", "t=4"));
        assertThat(processed.failed()).containsOnlyKeys(2L);
        assertThat(outputs(processed)).containsExactly("1:t=1", "3:t=3", "4:t=4");
        assertThat(processed.failed().get(2L).detail()).doesNotContain("{");
    }

    @Test
    void aWrongNumberOfResultsIsNotGuessedAt() {
        RemoteProcessor processor = processor(", \"batch-size\": 2", request -> Reply.ok("[1,2,3]".getBytes()));
        Processed processed = process(processor, numbers(2));
        assertThat(processed.failed()).hasSize(2);
        assertThat(processed.failed().values())
                .allMatch(failure -> failure.code().equals("bad-response"));
    }

    @Test
    void speaksTheOpenInferenceProtocol() {
        RemoteProcessor processor = processor(", \"protocol\": \"open-inference-v2\", \"batch-size\": 2", request -> {
            try {
                JsonNode tensor = JSON.readTree(request.body()).path("inputs").path(0);
                assertThat(tensor.path("datatype").asText()).isEqualTo("BYTES");
                ArrayNode data = JSON.createArrayNode();
                tensor.path("data").forEach(item -> data.add(item.asInt() + 0.5));
                return Reply.ok(("{\"model_name\":\"m\",\"outputs\":[{\"name\":\"y\",\"shape\":[" + data.size()
                                + "],\"datatype\":\"FP64\",\"data\":" + data + "}]}")
                        .getBytes());
            } catch (IOException e) {
                return Reply.status(400);
            }
        });
        assertThat(outputs(process(processor, numbers(3)))).containsExactly("1:t=0.5", "2:t=1.5", "3:t=2.5");
        assertThat(service.requests().get(0).path()).isEqualTo("/api/v1/v2/models/model%201/infer");
    }

    @Test
    void sendsItsCredential() {
        RemoteProcessor processor = processor(
                ", \"credential\": {\"type\": \"environment\", \"username-variable\": \"U\", \"password-variable\": \"P\"}",
                request -> Reply.ok(request.body()));
        process(processor, TestContext.batch("t=1"));
        assertThat(service.requests().get(0).authorization()).isEqualTo("Basic dXNlcjpwYXNzd29yZA==");
    }
}
