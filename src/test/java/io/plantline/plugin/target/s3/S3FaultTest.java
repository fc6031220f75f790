package io.plantline.plugin.target.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.plugin.format.parquet.ParquetFormatFactory;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.HttpFaultProxy;
import io.plantline.testkit.HttpFaultProxy.Fault;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a store or the way there does to a request: it is tried again, and then the object is there once, whole. */
class S3FaultTest {
    private static final int MESSAGES = 12;
    private static S3Server lake;
    private static HttpFaultProxy proxy;
    private static int buckets;
    private TestContext context;
    private String bucket;

    private enum Operation {
        PUT_OBJECT(request -> request.method() == HttpMethod.PUT && request.getParam("partNumber") == null, false),
        CREATE_MULTIPART_UPLOAD(
                request -> request.method() == HttpMethod.POST
                        && request.query() != null
                        && request.query().startsWith("uploads"),
                true),
        UPLOAD_PART(request -> request.getParam("partNumber") != null, true),
        COMPLETE_MULTIPART_UPLOAD(
                request -> request.method() == HttpMethod.POST && request.getParam("uploadId") != null, true);

        private final Predicate<HttpServerRequest> is;
        private final boolean multipart;

        Operation(Predicate<HttpServerRequest> is, boolean multipart) {
            this.is = is;
            this.multipart = multipart;
        }
    }

    @BeforeAll
    static void start() {
        lake = S3Server.start();
        proxy = HttpFaultProxy.to(lake.uri().getPort());
        System.setProperty("aws.accessKeyId", S3Server.ACCESS_KEY);
        System.setProperty("aws.secretAccessKey", S3Server.SECRET_KEY);
        System.setProperty("aws.region", "us-east-1");
    }

    @AfterAll
    static void stop() {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        System.clearProperty("aws.region");
        proxy.close();
        lake.close();
    }

    @BeforeEach
    void makeBucket() {
        bucket = "faults" + buckets++;
        lake.createBucket(bucket);
        context = new TestContext(new ParquetFormatFactory().create(CompressionCodecName.UNCOMPRESSED));
    }

    @AfterEach
    void close() {
        proxy.fault(Fault.NONE);
        context.close();
    }

    private S3Target open(String more) {
        S3TargetConfig config = Sections.target("""
                {"type": "s3", "s3-bucket": "%s", "endpoint": "%s", "path-style": true, "event-type": "batch", "timeout": "1500ms",
                 "multipart-from": "5MiB"%s}""".formatted(bucket, proxy.url(), more));
        S3Target target = new S3Target(config, context);
        context.call(target::open);
        return target;
    }

    /** Of a single part or more. */
    private static PublishBatch plan(boolean large) {
        MessageBatch.Builder builder = new MessageBatch.Builder(1 << 20);
        byte[] payload = new byte[large ? 1 << 19 : 100];
        new Random(1).nextBytes(payload);
        for (int i = 0; i < MESSAGES; i++) {
            TestContext.add(builder, "t", payload, MessageProperties.NONE);
        }
        return TestContext.plan(builder.build().numberedFrom(1));
    }

    private Verdicts publish(S3Target target, PublishBatch plan) {
        return context.call(() -> target.publish(plan));
    }

    private static Stream<Arguments> statuses() {
        return Stream.of(500, 502, 503, 504)
                .flatMap(status -> Stream.of(Operation.values()).map(operation -> Arguments.of(operation, status)));
    }

    @ParameterizedTest
    @MethodSource("statuses")
    void aServersErrorIsTriedAgain(Operation operation, int status) {
        proxy.only(operation.is).status(status);
        isTriedAgain("", operation.multipart);
    }

    private static Stream<Arguments> losses() {
        return Stream.of(Fault.DOWN, Fault.HANG, Fault.ANSWER_LOST)
                .flatMap(fault -> Stream.of(Operation.values()).map(operation -> Arguments.of(operation, fault)));
    }

    @ParameterizedTest
    @MethodSource("losses")
    void aRequestOrItsAnswerThatIsLostIsTriedAgain(Operation operation, Fault fault) {
        proxy.only(operation.is).fault(fault);
        isTriedAgain("", operation.multipart);
    }

    @Test
    void aSuccessThatSaysItIsNoneIsTriedAgain() {
        proxy.only(Operation.COMPLETE_MULTIPART_UPLOAD.is).fault(Fault.ERROR_IN_BODY);
        isTriedAgain("", true);
    }

    @ParameterizedTest
    @EnumSource(names = {"PUT_OBJECT", "UPLOAD_PART"})
    void aBitThatFlipsOnTheWayIsNotStored(Operation operation) {
        // What "always" sends along, this store does not look at; S3 does.
        proxy.only(operation.is).fault(Fault.BIT_FLIPPED);
        isTriedAgain(", \"checksums\": \"when-required\"", operation.multipart);
    }

    /** S3 takes a part with a checksum for one of another upload if that was begun, or is ended, without. */
    @Test
    void partsAndTheirUploadSayTheSameChecksum() {
        List<String> headers = new CopyOnWriteArrayList<>();
        List<String> ends = new CopyOnWriteArrayList<>();
        proxy.only(request -> {
            if (Operation.CREATE_MULTIPART_UPLOAD.is.test(request)) {
                headers.add("begin " + request.getHeader("x-amz-checksum-algorithm"));
            } else if (Operation.UPLOAD_PART.is.test(request)) {
                headers.add("part " + request.getHeader("x-amz-checksum-crc32"));
            } else if (Operation.COMPLETE_MULTIPART_UPLOAD.is.test(request)) {
                request.bodyHandler(body -> ends.add(body.toString()));
            }
            return false;
        });
        assertThat(publish(open(", \"checksums\": \"always\""), plan(true)).refused())
                .isEmpty();
        assertThat(headers).hasSize(3).startsWith("begin CRC32").doesNotContain("part null");
        headers.stream()
                .skip(1)
                .forEach(part -> assertThat(ends)
                        .singleElement()
                        .asString()
                        .contains("<ChecksumCRC32>" + part.substring("part ".length()) + "</ChecksumCRC32>"));
        assertThat(ParquetRows.read(lake.get(bucket, lake.keys(bucket).get(0)))).hasSize(MESSAGES);
    }

    @Test
    void aStoreWithoutConditionalWritesGetsTheSameObjectAgain() {
        proxy.only(Operation.PUT_OBJECT.is).fault(Fault.ANSWER_LOST);
        isTriedAgain(", \"conditional-writes\": false, \"checksums\": \"when-required\"", false);
    }

    /** The fault happens, and when it is over the plan is published. */
    private void isTriedAgain(String more, boolean large) {
        S3Target target = open(more);
        PublishBatch plan = plan(large);
        failsForNow(publish(target, plan));
        assertThat(proxy.fault(Fault.NONE)).as("it happened").isPositive();
        assertThat(publish(target, plan).refused()).isEmpty();
        assertThat(lake.keys(bucket)).hasSize(1);
        assertThat(ParquetRows.read(lake.get(bucket, lake.keys(bucket).get(0)))).hasSize(MESSAGES);
        assertThat(lake.uploads(bucket)).isEmpty();
    }

    private static void failsForNow(Verdicts verdicts) {
        assertThat(verdicts.refused())
                .hasSize(MESSAGES)
                .allSatisfy((ordinal, failure) ->
                        assertThat(failure.kind()).as(failure.toString()).isEqualTo(Failure.Kind.RETRY));
    }
}
