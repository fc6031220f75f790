package io.plantline.plugin.target.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageProperties;
import io.plantline.model.Plan;
import io.plantline.pipeline.InlineBatch;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.KafkaCluster;
import io.plantline.testkit.Ports;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KafkaTargetTest {
    private static final String SASL = "\"topic\": \"%s\", \"sasl-mechanism\": \"%s\", \"timeout\": \"3s\","
            + " \"credential\": {\"type\": \"environment\", \"username-variable\": \"A\", \"password-variable\": \"B\"}";

    @TempDir
    private static Path directory;

    private static KafkaCluster kafka;

    private final String outbox = UUID.randomUUID().toString().replace("-", "").substring(8);
    private final TestContext context = new TestContext(null);
    private final List<KafkaTarget> targets = new ArrayList<>();

    @BeforeAll
    static void startKafka() throws Exception {
        int secure = securePort = Ports.free();
        mutualPort = Ports.free();
        server = Certificates.make(directory, "server", "ip:127.0.0.1");
        client = Certificates.make(directory, "client", "dns:plantline");
        stranger = Certificates.make(directory, "stranger", "dns:plantline");
        kafka = KafkaCluster.start(
                directory,
                "auto.create.topics.enable=false",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS",
                "allow.everyone.if.no.acl.found=true",
                "listeners=PLAIN://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},SECURE://127.0.0.1:" + secure
                        + ",MUTUAL://127.0.0.1:" + mutualPort,
                "listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_PLAINTEXT,MUTUAL:SSL",
                "listener.name.mutual.ssl.client.auth=required",
                "listener.name.mutual.ssl.keystore.location=" + server.store(),
                "listener.name.mutual.ssl.keystore.password=changeit",
                "listener.name.mutual.ssl.key.password=changeit",
                "listener.name.mutual.ssl.truststore.type=PEM",
                "listener.name.mutual.ssl.truststore.location=" + client.certificate(),
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule"
                        + " required user_user=\"password\";");
    }

    private static int securePort;
    private static int mutualPort;
    private static Certificates server;
    private static Certificates client;
    private static Certificates stranger;

    @AfterAll
    static void stopKafka() {
        kafka.close();
    }

    @AfterEach
    void close() {
        targets.forEach(target -> context.call(target::close));
        context.close();
    }

    private KafkaTarget target(String more) {
        return targetAt(kafka.bootstrapJson(), more);
    }

    private KafkaTarget targetAt(String servers, String more) {
        KafkaTargetConfig config =
                Sections.target("{\"type\": \"kafka\", \"bootstrap-servers\": [" + servers + "], " + more + "}");
        KafkaTarget target = new KafkaTarget(config, context);
        targets.add(target);
        return target;
    }

    private Verdicts publish(KafkaTarget target, PublishBatch batch) {
        return context.call(() -> target.publish(batch));
    }

    /** A plan whose pending messages are those not named. */
    private PublishBatch plan(long first, String[] messages, int... delivered) {
        BitSet done = new BitSet();
        for (int ordinal : delivered) {
            done.set(ordinal);
        }
        MessageBatch batch = TestContext.batch(messages).numberedFrom(first);
        Plan plan = new Plan("t", "f", outbox, 3, first, first + messages.length - 1, 0, messages.length);
        return new InlineBatch(plan, List.of(batch), done);
    }

    private static String[] numbers(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "plant/line" + i % 5 + "=" + i)
                .toArray(String[]::new);
    }

    private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> new String(record.value())).toList();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyTopicKeepsItsOrder(boolean transactions) {
        String topic = "order-" + transactions;
        kafka.createTopic(topic, 3, Map.of());
        KafkaTarget target = target("\"topic\": \"" + topic + "\", \"transactions\": " + transactions);
        assertThat(publish(target, plan(1, numbers(5_000))).refused()).isEmpty();
        List<ConsumerRecord<byte[], byte[]>> records = kafka.read(topic);
        assertThat(records).hasSize(5_000);
        Map<String, Integer> last = new java.util.HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            int number = Integer.parseInt(new String(record.value()));
            assertThat(new String(record.key())).isEqualTo("plant/line" + number % 5);
            assertThat(last.getOrDefault(new String(record.key()), -1)).isLessThan(number);
            last.put(new String(record.key()), number);
        }
    }

    @Test
    void headersTellWhatMqttSaid() {
        kafka.createTopic("plant.line1.temp", 1, Map.of());
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        MessageProperties properties = new MessageProperties("application/json", null, List.of()).with("site", "köln");
        TestContext.add(builder, "plant/line1/temp", new byte[0], properties);
        PublishBatch plan = TestContext.plan(builder.build().numberedFrom(7));
        publish(target("\"topic\": \"{1}.{2}.{3}{4}\", \"key\": \"\""), plan);
        ConsumerRecord<byte[], byte[]> record = kafka.read("plant.line1.temp").get(0);
        assertThat(record.value()).as("empty, and not a tombstone").isNotNull().isEmpty();
        assertThat(record.key()).isNull();
        assertThat(record.timestamp()).isEqualTo(1_795_503_600_123L);
        assertThat(header(record, "plantline.message-id")).isEqualTo(plan.plan().messageId(7));
        assertThat(header(record, "mqtt.topic")).isEqualTo("plant/line1/temp");
        assertThat(header(record, "mqtt.qos")).isEqualTo("1");
        assertThat(header(record, "mqtt.retained")).isEqualTo("false");
        assertThat(header(record, "mqtt.received-at")).isEqualTo("1795503600123456");
        assertThat(header(record, "mqtt.content-type")).isEqualTo("application/json");
        assertThat(header(record, "mqtt.user.site")).isEqualTo("köln");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void onlyARecordThatIsTooLargeIsRefused(boolean transactions) {
        String topic = "small-" + transactions;
        kafka.createTopic(topic, 1, Map.of("max.message.bytes", "2000"));
        KafkaTarget target = target("\"topic\": \"" + topic
                + "\", \"compression\": \"none\", \"max-message-bytes\": \"10KB\", \"transactions\": " + transactions);
        // One that the cluster refuses, and one that never leaves.
        String[] messages = {"t=a", "t=" + "b".repeat(4_000), "t=c", "t=" + "d".repeat(20_000), "t=e"};
        Verdicts verdicts = publish(target, plan(1, messages));
        assertThat(verdicts.refused()).containsOnlyKeys(1, 3);
        assertThat(verdicts.refused().values()).allSatisfy(failure -> {
            assertThat(failure.kind()).isEqualTo(Failure.Kind.REJECT);
            assertThat(failure.code()).isEqualTo("record-too-large");
        });
        assertThat(values(kafka.read(topic))).containsExactly("a", "c", "e");
    }

    @Test
    void aTransactionIsSentOnceWhoeverSendsItAgain() {
        kafka.createTopic("once", 3, Map.of("max.message.bytes", "2000"));
        String section = "\"topic\": \"once\", \"compression\": \"none\", \"transactions\": true";
        String[] messages = numbers(1_000);
        messages[17] = "plant/line2=" + "x".repeat(5_000);
        messages[700] = messages[17];
        assertThat(publish(target(section), plan(1, messages)).refused()).containsOnlyKeys(17, 700);

        // The process died before it knew: another one begins with a plan that is not even the same.
        messages[17] = "plant/line2=17";
        messages[700] = "plant/line0=700";
        String[] more = java.util.Arrays.copyOf(messages, 1_200);
        System.arraycopy(numbers(1_200), 1_000, more, 1_000, 200);
        KafkaTarget second = target(section);
        assertThat(publish(second, plan(1, java.util.Arrays.copyOf(more, 600))).refused())
                .isEmpty();
        assertThat(publish(second, plan(601, java.util.Arrays.copyOfRange(more, 600, 1_200)))
                        .refused())
                .isEmpty();
        assertThat(values(kafka.read("once")).stream().map(Integer::valueOf).sorted())
                .containsExactlyElementsOf(IntStream.range(0, 1_200).boxed().toList());
    }

    @Test
    void everyOutboxHasAPositionOfItsOwn() { // a worker of a cluster serves several
        kafka.createTopic("outboxes", 1, Map.of());
        KafkaTarget target = target("\"topic\": \"outboxes\", \"transactions\": true");
        publish(target, TestContext.planOf("outbox-a", 1, TestContext.batch("t=a1", "t=a2")));
        publish(target, TestContext.planOf("outbox-b", 1, TestContext.batch("t=b1", "t=b2")));
        publish(target, TestContext.planOf("outbox-a", 1, TestContext.batch("t=a1", "t=a2")));
        assertThat(values(kafka.read("outboxes"))).containsExactly("a1", "a2", "b1", "b2");
    }

    @Test
    void sequencesThatDamageMadeBeginAgainAreOtherMessages() {
        kafka.createTopic("epochs", 1, Map.of());
        KafkaTarget target = target("\"topic\": \"epochs\", \"transactions\": true");
        publish(target, TestContext.planOf("outbox-c", 1, TestContext.batch("t=1", "t=2", "t=3")));
        publish(target, TestContext.planOf("outbox-c", 2, TestContext.batch("t=4")));
        KafkaTarget next = target("\"topic\": \"epochs\", \"transactions\": true");
        publish(next, TestContext.planOf("outbox-c", 1, TestContext.batch("t=1", "t=2", "t=3")));
        publish(next, TestContext.planOf("outbox-c", 2, TestContext.batch("t=4", "t=5")));
        assertThat(values(kafka.read("epochs"))).containsExactly("1", "2", "3", "4", "5");
    }

    @Test
    void anOlderProducerIsFencedOff() {
        kafka.createTopic("fenced", 1, Map.of());
        String section = "\"topic\": \"fenced\", \"transactions\": true";
        KafkaTarget older = target(section);
        publish(older, plan(1, numbers(10)));
        publish(target(section), plan(11, numbers(10)));
        assertThatThrownBy(() -> publish(older, plan(21, numbers(10)))).hasStackTraceContaining("fenced");
        assertThat(kafka.read("fenced")).hasSize(20);
    }

    @Test
    void onlyWhatIsPendingIsSent() {
        kafka.createTopic("pending", 1, Map.of());
        publish(target("\"topic\": \"pending\""), plan(1, new String[] {"t=a", "t=b", "t=c"}, 0, 2));
        assertThat(values(kafka.read("pending"))).containsExactly("b");
    }

    @Test
    void aTopicThatIsNotThereIsAnOperatorsMatter() {
        KafkaTarget target = target("\"topic\": \"nowhere\", \"timeout\": \"2s\"");
        Verdicts verdicts = publish(target, plan(1, numbers(3)));
        assertThat(verdicts.refused().values()).hasSize(3).allSatisfy(failure -> {
            assertThat(failure.kind()).isEqualTo(Failure.Kind.OPERATOR);
            assertThat(failure.code()).isEqualTo("no-topic");
        });
        kafka.createTopic("nowhere", 1, Map.of());
        assertThat(publish(target, plan(1, numbers(3))).refused()).isEmpty();
    }

    @Test
    void aClusterThatIsNotThereIsTriedAgain() {
        KafkaTarget target = targetAt("\"127.0.0.1:" + Ports.free() + "\"", "\"topic\": \"t\", \"timeout\": \"1s\"");
        Verdicts verdicts = publish(target, plan(1, numbers(3)));
        assertThat(verdicts.refused().values())
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure.kind()).isEqualTo(Failure.Kind.RETRY));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRightThatIsTakenIsAnOperatorsMatter(boolean transactions) {
        String topic = "rights-" + transactions;
        kafka.createTopic(topic, 1, Map.of());
        KafkaTarget target = targetAt(
                "\"127.0.0.1:" + securePort + "\"",
                SASL.formatted(topic, "PLAIN") + ", \"transactions\": " + transactions);
        assertThat(publish(target, plan(1, numbers(3))).refused()).isEmpty();
        kafka.deny(topic, "user");
        if (transactions) {
            assertThatThrownBy(() -> publish(target, plan(4, numbers(3))))
                    .as("as a whole")
                    .hasMessageContaining("OPERATOR access-denied");
        } else {
            assertThat(publish(target, plan(4, numbers(3))).refused().values())
                    .hasSize(3)
                    .allSatisfy(failure -> assertThat(failure.code()).isEqualTo("access-denied"));
        }
        kafka.allow(topic);
        assertThat(publish(target, plan(4, numbers(3))).refused()).isEmpty();
        assertThat(values(kafka.read(topic))).containsExactly("0", "1", "2", "0", "1", "2");
    }

    @Test
    void saslLetsInWhoKnowsThePassword() {
        kafka.createTopic("secure", 1, Map.of());
        String server = "\"127.0.0.1:" + securePort + "\"";
        assertThat(publish(targetAt(server, SASL.formatted("secure", "PLAIN")), plan(1, numbers(3)))
                        .refused())
                .isEmpty();
        Verdicts refused = publish(targetAt(server, SASL.formatted("secure", "SCRAM-SHA-256")), plan(4, numbers(3)));
        assertThat(refused.refused().values())
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure.code()).isEqualTo("not-authenticated"));
    }

    @Test
    void mutualTlsLetsInWhoHasTheRightCertificateAndTrustsTheRightServer() {
        kafka.createTopic("mutual", 1, Map.of());
        String broker = "\"127.0.0.1:" + mutualPort + "\"";
        assertThat(publish(targetAt(broker, mutual(server, client)), plan(1, numbers(3)))
                        .refused())
                .isEmpty();
        assertThat(kafka.read("mutual")).hasSize(3);
        for (String section : List.of(mutual(server, stranger), mutual(client, client))) {
            assertThat(publish(targetAt(broker, section), plan(4, numbers(3)))
                            .refused()
                            .values())
                    .hasSize(3)
                    .allSatisfy(failure -> assertThat(failure.kind()).isNotEqualTo(Failure.Kind.REJECT));
        }
        assertThat(kafka.read("mutual")).hasSize(3);
    }

    private static String mutual(Certificates trusted, Certificates own) {
        return "\"topic\": \"mutual\", \"timeout\": \"3s\", \"tls\": {\"ca\": \"%s\", \"certificate\": \"%s\", \"key\": \"%s\"}"
                .formatted(trusted.certificate(), own.certificate(), own.key());
    }

    @Test
    void topicsThatKafkaCannotHaveAreMadeOrRefused() {
        assertThat(RecordMaker.topic("plant/line 1/ä")).isEqualTo("plant.line_1._");
        assertThat(RecordMaker.topic("..")).isNull();
        assertThat(RecordMaker.topic("a".repeat(250))).isNull();
    }
}
