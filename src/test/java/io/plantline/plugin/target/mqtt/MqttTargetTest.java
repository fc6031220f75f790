package io.plantline.plugin.target.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.plantline.model.Failure;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.Artemis;
import io.plantline.testkit.Collector;
import io.plantline.testkit.ConnectProxy;
import io.plantline.testkit.Mosquitto;
import io.plantline.testkit.Packet;
import io.plantline.testkit.ScriptedBroker;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MqttTargetTest {
    private final TestContext context = new TestContext(null);

    @AfterEach
    void close() {
        context.close();
    }

    private MqttTarget target(int port, String more) {
        MqttTargetConfig config = Sections.target(
                "{\"type\": \"mqtt\", \"mqtt-broker-host\": \"127.0.0.1\", \"mqtt-broker-port\": " + port + more + "}");
        return new MqttTarget(config, context);
    }

    private Verdicts publish(MqttTarget target, PublishBatch batch) {
        return context.call(() -> target.publish(batch));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void publishesInOrderUnderItsTopic(int qos) throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (Artemis broker = Artemis.start();
                Collector collector = new Collector(broker.port(), "#", 2)) {
            collector.also(publish -> seen.add(publish.topic() + "=" + new String(publish.payload())));
            MqttTarget target =
                    target(broker.port(), ", \"topic\": \"copy/{topic}\", \"qos\": " + qos + ", \"max-in-flight\": 7");
            String[] messages = new String[500];
            Arrays.setAll(messages, i -> "line" + i % 3 + "=" + i);
            assertThat(publish(target, TestContext.plan(TestContext.batch(messages)))
                            .refused())
                    .isEmpty();
            await().until(() -> seen.size() == 500);
            for (int i = 0; i < 500; i++) {
                assertThat(seen.get(i)).isEqualTo("copy/" + messages[i]);
            }
            context.call(target::close);
        }
    }

    @Test
    void publishesThroughAProxy() throws Exception {
        try (Artemis broker = Artemis.start();
                ConnectProxy proxy = ConnectProxy.start()) {
            MqttTarget target = target(broker.port(), ", \"proxy\": \"" + proxy.address() + "\"");
            assertThat(publish(target, TestContext.plan(TestContext.batch("t=a")))
                            .refused())
                    .isEmpty();
            assertThat(proxy.requests()).containsExactly("CONNECT 127.0.0.1:" + broker.port());
        }
    }

    @Test
    void sendsOnlyWhatIsPending() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (Artemis broker = Artemis.start();
                Collector collector = new Collector(broker.port(), "#", 1)) {
            collector.also(publish -> seen.add(new String(publish.payload())));
            publish(target(broker.port(), ""), TestContext.plan(TestContext.batch("t=a", "t=b", "t=c"), 1));
            await().until(() -> seen.size() == 2);
            assertThat(seen).containsExactly("a", "c");
        }
    }

    @Test
    void whatWasNotAcknowledgedIsNotDelivered() {
        try (ScriptedBroker broker = ScriptedBroker.start()) {
            MqttTarget target = target(broker.port(), "");
            CompletableFuture<Verdicts> verdicts = CompletableFuture.supplyAsync(
                    () -> publish(target, TestContext.plan(TestContext.batch("t=a", "t=b", "t=c"))));
            ScriptedBroker.Connection connection = broker.accept().connected(false);
            int first = connection.expect(Packet.PUBLISH).asPublish(4).id();
            connection.expect(Packet.PUBLISH);
            connection.expect(Packet.PUBLISH);
            connection.send(Packet.ack(Packet.PUBACK, first));
            connection.close();
            assertThat(verdicts.join().refused().keySet()).containsExactlyInAnyOrder(1, 2);
            assertThat(verdicts.join().refused().get(1).kind()).isEqualTo(Failure.Kind.RETRY);
            CompletableFuture<Verdicts> again = CompletableFuture.supplyAsync(
                    () -> publish(target, TestContext.plan(TestContext.batch("t=a", "t=b", "t=c"), 0)));
            ScriptedBroker.Connection next = broker.accept().connected(false);
            for (int i = 0; i < 2; i++) {
                next.send(Packet.ack(
                        Packet.PUBACK, next.expect(Packet.PUBLISH).asPublish(4).id()));
            }
            assertThat(again.join().refused()).isEmpty();
        }
    }

    @Test
    void aFullWindowIsFilledAgainWhenHalfOfItIsFree() {
        try (ScriptedBroker broker = ScriptedBroker.start()) {
            MqttTarget target = target(broker.port(), ", \"qos\": 1, \"max-in-flight\": 6");
            String[] messages = new String[20];
            Arrays.setAll(messages, i -> "t=" + i);
            CompletableFuture<Verdicts> verdicts =
                    CompletableFuture.supplyAsync(() -> publish(target, TestContext.plan(TestContext.batch(messages))));
            ScriptedBroker.Connection connection = broker.accept().connected(false);
            Deque<Integer> open = new ArrayDeque<>();
            for (int sent = 0; sent < 20; ) {
                for (int burst = sent == 0 ? 6 : 3; burst > 0 && sent < 20; burst--) {
                    open.add(connection.expect(Packet.PUBLISH).asPublish(4).id());
                    sent++;
                }
                connection.send(Packet.ack(Packet.PUBACK, open.remove()));
                connection.send(Packet.ack(Packet.PUBACK, open.remove()));
                connection.expectSilence(20);
                connection.send(Packet.ack(Packet.PUBACK, open.remove()));
            }
            open.forEach(id -> connection.send(Packet.ack(Packet.PUBACK, id)));
            assertThat(verdicts.join().refused()).isEmpty();
        }
    }

    @Test
    void aBrokerThatNeverAcknowledgesIsGivenUp() {
        try (ScriptedBroker broker = ScriptedBroker.start()) {
            MqttTarget target = target(broker.port(), ", \"timeout\": \"300ms\"");
            CompletableFuture<Verdicts> verdicts =
                    CompletableFuture.supplyAsync(() -> publish(target, TestContext.plan(TestContext.batch("t=a"))));
            broker.accept().connected(false).expect(Packet.PUBLISH);
            assertThat(verdicts.join().refused().get(0).code()).isEqualTo("connection-lost");
        }
    }

    @Test
    void aBrokerThatIsDownIsTriedAgainAndARefusalIsForTheOperator() {
        assertThatThrownBy(() -> publish(
                        target(io.plantline.testkit.Ports.free(), ""), TestContext.plan(TestContext.batch("t=a"))))
                .hasMessageContaining("RETRY unreachable");
        int port = io.plantline.testkit.Ports.free();
        try (Artemis broker = Artemis.startSecured(port, "somebody", "else")) {
            assertThatThrownBy(() -> publish(target(broker.port(), ""), TestContext.plan(TestContext.batch("t=a"))))
                    .hasMessageContaining("OPERATOR connection-refused");
        }
    }

    @Test
    void aMessageThatTheBrokerTakesTheConnectionForIsTold(@TempDir Path directory) throws Exception {
        Mosquitto.assumeInstalled();
        String large = "large=" + "x".repeat(2_000);
        try (Mosquitto broker = Mosquitto.start(directory, "max_packet_size 1000");
                Collector collector = new Collector(broker.port(), "#", 1)) {
            List<String> seen = new CopyOnWriteArrayList<>();
            collector.also(publish -> seen.add(publish.topic()));
            MqttTarget target = target(broker.port(), "");
            BitSet delivered = new BitSet();
            Failure last = null;
            for (int attempt = 0; attempt < 8; attempt++) {
                int[] done = delivered.stream().toArray();
                Verdicts verdicts =
                        publish(target, TestContext.plan(TestContext.batch("a=1", "b=2", large, "c=3"), done));
                delivered.set(0, 4);
                verdicts.refused().keySet().forEach(delivered::clear);
                last = verdicts.refused().get(2);
                assertThat(last).isNotNull();
            }
            assertThat(last.kind()).isEqualTo(Failure.Kind.OPERATOR);
            assertThat(last.detail()).contains("2012 bytes on large");
            assertThat(seen).doesNotContain("large");

            MqttTarget told = target(broker.port(), ", \"max-packet-size\": 1000");
            Verdicts verdicts = publish(told, TestContext.plan(TestContext.batch("a=1", "b=2", large, "c=3"), 0, 1));
            assertThat(verdicts.refused()).containsOnlyKeys(2);
            assertThat(verdicts.refused().get(2).kind()).isEqualTo(Failure.Kind.REJECT);
            await().until(() -> seen.contains("c"));
        }
    }

    @Test
    void aTopicThatIsTooLongIsRefusedAndTheRestIsSent() throws Exception {
        try (Artemis broker = Artemis.start()) {
            Verdicts verdicts = publish(
                    target(broker.port(), ", \"topic\": \"copy/{topic}\""),
                    TestContext.plan(TestContext.batch("t=a", "t".repeat(65_535) + "=b", "t=c")));
            assertThat(verdicts.refused()).containsOnlyKeys(1);
            assertThat(verdicts.refused().get(1).kind()).isEqualTo(Failure.Kind.REJECT);
        }
    }
}
