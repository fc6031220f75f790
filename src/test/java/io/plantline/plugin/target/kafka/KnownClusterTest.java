package io.plantline.plugin.target.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.Failure;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.KafkaCluster;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Another cluster under the same address, and another topic under the same name. */
class KnownClusterTest {
    @TempDir
    private static Path directory;

    private static KafkaCluster kafka;

    private final TestContext context = new TestContext(null);
    private final List<KafkaTarget> targets = new ArrayList<>();

    @BeforeAll
    static void startKafka() {
        kafka = KafkaCluster.start(directory, "auto.create.topics.enable=false");
    }

    @AfterAll
    static void stopKafka() {
        kafka.close();
    }

    @AfterEach
    void close() {
        targets.forEach(target -> context.call(target::close));
        context.close();
    }

    private KafkaTarget target(String topic, String more) {
        KafkaTargetConfig config = Sections.target("{\"type\": \"kafka\", \"bootstrap-servers\": ["
                + kafka.bootstrapJson() + "], \"timeout\": \"60s\", \"topic\": \"" + topic + "\"" + more + "}");
        KafkaTarget target = new KafkaTarget(config, context);
        targets.add(target);
        return target;
    }

    private Verdicts publish(KafkaTarget target, String... messages) {
        return context.call(() -> target.publish(TestContext.plan(TestContext.batch(messages))));
    }

    /** What a plan failed for: as a whole, or each message. */
    private List<Failure> failures(KafkaTarget target, String... messages) {
        return context.call(() -> target.publish(TestContext.plan(TestContext.batch(messages)))
                .map(verdicts -> List.copyOf(verdicts.refused().values()))
                .otherwise(e -> List.of(Failure.of(e))));
    }

    private static void assertHeld(List<Failure> failures, String... words) {
        assertThat(failures).isNotEmpty().allSatisfy(failure -> {
            assertThat(failure.kind()).isEqualTo(Failure.Kind.OPERATOR);
            assertThat(failure.code()).isEqualTo("other-cluster");
            assertThat(failure.detail()).contains(words);
        });
    }

    private static List<String> values(String topic) {
        return kafka.read(topic).stream()
                .map(record -> new String(record.value()))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anotherClusterHoldsTheTargetUntilItIsNamed(boolean transactions) {
        String more = ", \"transactions\": " + transactions;
        String before = kafka.clusterId();
        String topic = "t-" + transactions;
        kafka.createTopic(topic, 1, Map.of());
        publish(target(topic, more), "t=1");
        assertThat(values(topic)).containsExactly("1");

        kafka.replace();
        kafka.createTopic(topic, 1, Map.of());
        String now = kafka.clusterId();
        assertHeld(failures(target(topic, more), "t=never"), before, now, "cluster-ids");
        assertThat(values(topic)).as("nothing was written there").isEmpty();

        String named = more + ", \"cluster-ids\": [\"" + now + "\"]";
        assertThat(publish(target(topic, named), "t=2").refused()).isEmpty();
        assertThat(context.warnings())
                .singleElement()
                .asString()
                .startsWith("KAFKA-CLUSTER: ")
                .contains(before, now);
        publish(target(topic, more), "t=3");
        assertThat(values(topic)).contains("2").doesNotContain("never");
        KafkaTarget elsewhere = target(topic, more + ", \"cluster-ids\": [\"" + before + "\"]");
        assertHeld(failures(elsewhere, "t=never"), now, "cluster-ids");
    }

    @Test
    void aProducerThatIsAtWorkNoticesIt() {
        kafka.createTopic("running", 1, Map.of());
        KafkaTarget target = target("running", "");
        publish(target, "t=1");
        kafka.kill(0);
        CompletableFuture<List<Failure>> published =
                CompletableFuture.supplyAsync(() -> failures(target, "t=2", "t=3"));
        kafka.replace();
        kafka.createTopic("running", 1, Map.of());
        assertHeld(published.join(), kafka.clusterId());
        assertHeld(failures(target, "t=never"), kafka.clusterId());
        assertThat(values("running")).isEmpty();
    }

    @Test
    void aTopicThatWasMadeAnewIsToldOf() {
        kafka.createTopic("anew", 1, Map.of());
        KafkaTarget target = target("anew", "");
        publish(target, "t=1", "t=2", "t=3");
        publish(target, "t=4");
        assertThat(context.warnings()).isEmpty();
        kafka.deleteTopic("anew");
        kafka.createTopic("anew", 1, Map.of());
        assertThat(publish(target, "t=5").refused()).isEmpty();
        assertThat(values("anew")).containsExactly("5");
        assertThat(context.warnings())
                .singleElement()
                .asString()
                .startsWith("KAFKA-OFFSETS: ")
                .contains("anew-0", "from 3 to 0");
    }
}
