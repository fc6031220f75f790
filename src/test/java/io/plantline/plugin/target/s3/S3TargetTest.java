package io.plantline.plugin.target.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.plugin.format.parquet.ParquetFormatFactory;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.ConnectProxy;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.S3Server;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against an S3 server that checks signatures and honours conditional writes. */
class S3TargetTest {
    private static S3Server lake;
    private static int buckets;
    private TestContext context;
    private String bucket;

    @BeforeAll
    static void startLake() {
        lake = S3Server.start();
        System.setProperty("aws.accessKeyId", S3Server.ACCESS_KEY);
        System.setProperty("aws.secretAccessKey", S3Server.SECRET_KEY);
        System.setProperty("aws.region", "us-east-1");
    }

    @AfterAll
    static void stopLake() {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        System.clearProperty("aws.region");
        lake.close();
    }

    @BeforeEach
    void makeBucket() {
        bucket = "bucket" + buckets++;
        lake.createBucket(bucket);
        context = new TestContext(new ParquetFormatFactory().create(CompressionCodecName.ZSTD));
    }

    @AfterEach
    void close() {
        context.close();
    }

    private S3Target open(String more) {
        S3TargetConfig config = Sections.target("""
                {"type": "s3", "s3-bucket": "%s", "endpoint": "%s", "key-prefix": "sample-key", "object-prefix": "sample-obj", %s}""".formatted(bucket, lake.uri(), more));
        S3Target target = new S3Target(config, context);
        context.call(target::open);
        return target;
    }

    private Verdicts publish(S3Target target, PublishBatch batch) {
        return context.call(() -> target.publish(batch));
    }

    @Test
    void singleWritesAnObjectPerMessage() {
        S3Target target = open("\"event-type\": \"single\"");
        assertThat(publish(target, TestContext.plan(TestContext.batch("a/b=x", "a/b=y", "c=z")))
                        .refused())
                .isEmpty();
        List<String> keys = lake.keys(bucket);
        assertThat(keys)
                .containsExactlyInAnyOrder(
                        "sample-key/a/b/dt=2026-11-24/hour=07/sample-obj-0123456789abcdef01234567-3-0000000000000000001-0000000000000000001-0.parquet",
                        "sample-key/a/b/dt=2026-11-24/hour=07/sample-obj-0123456789abcdef01234567-3-0000000000000000002-0000000000000000002-0.parquet",
                        "sample-key/c/dt=2026-11-24/hour=07/sample-obj-0123456789abcdef01234567-3-0000000000000000003-0000000000000000003-0.parquet");
        assertThat(ParquetRows.read(lake.get(bucket, keys.get(0)))).hasSize(1);
    }

    @Test
    void putsThroughAProxy() {
        try (ConnectProxy proxy = ConnectProxy.start()) {
            S3Target target = open("\"proxy\": \"" + proxy.address() + "\"");
            assertThat(publish(target, TestContext.plan(TestContext.batch("a=1")))
                            .refused())
                    .isEmpty();
            assertThat(lake.keys(bucket)).hasSize(1);
            assertThat(proxy.requests()).isNotEmpty();
        }
    }

    @Test
    void batchWritesAnObjectPerPartition() {
        S3Target target = open("\"event-type\": \"batch\", \"partition\": \"{topic}\"");
        publish(target, TestContext.plan(TestContext.batch("a=1", "b=2", "a=3")));
        assertThat(lake.keys(bucket)).hasSize(2);
        assertThat(ParquetRows.read(lake.get(bucket, lake.keys(bucket).get(0)))).hasSize(2);
    }

    @Test
    void aLargeObjectGoesInPartsAndWhatACrashLeftOfItIsRemoved() {
        S3Target target = open("\"event-type\": \"batch\", \"multipart-from\": \"5MiB\"");
        MessageBatch.Builder builder = new MessageBatch.Builder(1 << 20);
        byte[] payload = new byte[1 << 20];
        Random random = new Random(1);
        int count = 18;
        for (int i = 0; i < count; i++) {
            random.nextBytes(payload);
            TestContext.add(builder, "a", payload, MessageProperties.NONE);
        }
        PublishBatch plan = TestContext.plan(builder.build().numberedFrom(1));
        String key =
                "sample-key/dt=2026-11-24/hour=07/sample-obj-" + plan.plan().id() + "-0.parquet";
        lake.beginUpload(bucket, key);
        lake.beginUpload(bucket, key + "-of-another");
        assertThat(publish(target, plan).refused()).isEmpty();
        assertThat(lake.keys(bucket)).containsExactly(key);
        assertThat(ParquetRows.read(lake.get(bucket, key))).hasSize(count);
        assertThat(lake.uploads(bucket)).containsExactly(key + "-of-another");
        assertThat(publish(target, plan).refused()).as("the same plan again").isEmpty();
        assertThat(lake.uploads(bucket)).containsExactly(key + "-of-another");
    }

    @Test
    void aRepeatedPlanIsDeliveredAndNothingIsWrittenTwice() {
        S3Target target = open("\"event-type\": \"batch\"");
        PublishBatch plan = TestContext.plan(TestContext.batch("a=1", "b=2"));
        assertThat(publish(target, plan).refused()).isEmpty();
        byte[] first = lake.get(bucket, lake.keys(bucket).get(0));
        assertThat(publish(target, plan).refused()).isEmpty();
        assertThat(lake.keys(bucket)).hasSize(1);
        assertThat(lake.get(bucket, lake.keys(bucket).get(0))).isEqualTo(first);
    }

    @Test
    void aMessageOfItsOwnObjectIsDeliveredWhicheverPlanBringsItAgain() {
        S3Target target = open("\"event-type\": \"single\"");
        MessageBatch two = TestContext.batch("a=1", "b=2");
        assertThat(publish(target, TestContext.plan(two)).refused()).isEmpty();
        MessageBatch three = TestContext.batch("a=1", "b=2", "c=3");
        assertThat(publish(target, TestContext.plan(three)).refused())
                .as("after a restart, with one that came meanwhile")
                .isEmpty();
        assertThat(lake.keys(bucket)).hasSize(3);
        String key = lake.keys(bucket).get(0);
        lake.put(bucket, key, "somebody else's".getBytes());
        assertThat(publish(target, TestContext.plan(two)).refused().get(0).code())
                .isEqualTo("key-conflict");
    }

    @Test
    void anotherPlansObjectIsNeverOverwritten() {
        S3Target target = open("\"event-type\": \"batch\", \"partition\": \"{topic}\"");
        PublishBatch plan = TestContext.plan(TestContext.batch("a=1"));
        String key =
                "sample-key/a/sample-obj-0123456789abcdef01234567-3-0000000000000000001-0000000000000000001-0.parquet";
        lake.put(bucket, key, "somebody else's".getBytes());
        Failure failure = publish(target, plan).refused().get(0);
        assertThat(failure.kind()).isEqualTo(Failure.Kind.OPERATOR);
        assertThat(failure.code()).isEqualTo("key-conflict");
        assertThat(lake.get(bucket, key)).asString().isEqualTo("somebody else's");
    }

    @Test
    void aMissingBucketIsForTheOperator() {
        S3Target target = open("\"event-type\": \"single\"");
        bucket = "missing";
        S3Target missing = open("\"event-type\": \"single\"");
        Failure failure = publish(missing, TestContext.plan(TestContext.batch("a=1")))
                .refused()
                .get(0);
        assertThat(failure.kind()).isEqualTo(Failure.Kind.OPERATOR);
        assertThat(failure.code()).isEqualTo("NoSuchBucket");
        context.call(target::close);
    }

    @Test
    void wrongCredentialsAreForTheOperatorAndHealByThemselves() {
        System.setProperty("aws.secretAccessKey", "wrong");
        try {
            S3Target target = open("\"event-type\": \"single\"");
            Failure failure = publish(target, TestContext.plan(TestContext.batch("a=1")))
                    .refused()
                    .get(0);
            assertThat(failure.kind()).isEqualTo(Failure.Kind.OPERATOR);
            assertThat(failure.code()).isEqualTo("SignatureDoesNotMatch");
            System.setProperty("aws.secretAccessKey", S3Server.SECRET_KEY);
            assertThat(publish(target, TestContext.plan(TestContext.batch("a=1")))
                            .refused())
                    .isEmpty();
        } finally {
            System.setProperty("aws.secretAccessKey", S3Server.SECRET_KEY);
        }
    }

    @Test
    void aStoreThatIsDownIsTriedAgain() {
        S3TargetConfig config = Sections.target("""
                {"type": "s3", "s3-bucket": "%s", "endpoint": "http://127.0.0.1:%d", "event-type": "batch"}""".formatted(bucket, io.plantline.testkit.Ports.free()));
        S3Target target = new S3Target(config, context);
        context.call(target::open);
        assertThat(publish(target, TestContext.plan(TestContext.batch("a=1")))
                        .refused()
                        .get(0)
                        .kind())
                .isEqualTo(Failure.Kind.RETRY);
    }

    @Test
    void oddTopicsStayUnderThePrefix() {
        S3Target target = open("\"event-type\": \"single\"");
        String[] topics = {"../../up", "/a//b/", "a b?c#d", "%2e%2e/x", "ü/漢", "a\\b", "{topic}"};
        String[] messages = new String[topics.length];
        for (int i = 0; i < topics.length; i++) {
            messages[i] = topics[i] + "=" + i;
        }
        assertThat(publish(target, TestContext.plan(TestContext.batch(messages)))
                        .refused())
                .isEmpty();
        assertThat(lake.keys(bucket)).hasSize(topics.length).allMatch(key -> key.startsWith("sample-key/"));
        assertThat(lake.keys(bucket).stream()
                        .flatMap(key -> ParquetRows.read(lake.get(bucket, key)).stream())
                        .map(ParquetRows.Row::topic))
                .containsExactlyInAnyOrder(topics);
    }

    @Test
    void aStoreWithACertificateOfThePlantsOwnAuthorityIsReachedOverTls(@TempDir Path directory) throws Exception {
        Certificates certificates = Certificates.make(directory, "store", "dns:localhost");
        try (S3Server secure = S3Server.start(certificates)) {
            secure.createBucket("bucket");
            String section = """
                    {"type": "s3", "s3-bucket": "bucket", "endpoint": "%s", "event-type": "batch"%s}""";
            S3Target trusting = new S3Target(
                    Sections.target(
                            section.formatted(secure.secureUri(), ", \"ca\": \"" + certificates.certificate() + "\"")),
                    context);
            context.call(trusting::open);
            assertThat(publish(trusting, TestContext.plan(TestContext.batch("a=1")))
                            .refused())
                    .isEmpty();
            assertThat(secure.keys("bucket")).hasSize(1);
            S3Target strange = new S3Target(Sections.target(section.formatted(secure.secureUri(), "")), context);
            context.call(strange::open);
            assertThat(publish(strange, TestContext.plan(TestContext.batch("a=1")))
                            .refused()
                            .get(0)
                            .kind())
                    .isEqualTo(Failure.Kind.RETRY);
        }
    }

    @Test
    void templatesKnowTheirVariables() {
        assertThatThrownBy(() -> open("\"partition\": \"{clock}\"")).hasMessageContaining("1 problems");
        assertThatThrownBy(() -> open("\"partition\": \"../{topic}\"")).hasMessageContaining("1 problems");
    }
}
