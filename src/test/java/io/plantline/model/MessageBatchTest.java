package io.plantline.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class MessageBatchTest {
    private record Sample(
            String topic,
            int qos,
            boolean retained,
            boolean redelivered,
            long time,
            MessageProperties properties,
            byte[] payload) {}

    @RepeatedTest(50)
    void whatGoesInComesOut(RepetitionInfo seed) {
        Random random = new Random(seed.getCurrentRepetition());
        List<Sample> samples = new ArrayList<>();
        MessageBatch.Builder builder = new MessageBatch.Builder(random.nextInt(200));
        for (int i = random.nextInt(200); i > 0; i--) {
            Sample sample = sample(random);
            samples.add(sample);
            add(builder, sample);
        }
        MessageBatch batch = builder.build().numberedFrom(1_000_000_007L);
        check(batch, samples);
        check(MessageBatch.of(batch.toBytes(), batch.count(), batch.firstSequence()), samples);
    }

    @Test
    void aBuilderStartsAgainAfterEachBatch() {
        MessageBatch.Builder builder = new MessageBatch.Builder(10);
        Random random = new Random(1);
        List<Sample> first = List.of(sample(random), sample(random));
        List<Sample> second = List.of(sample(random));
        first.forEach(sample -> add(builder, sample));
        MessageBatch one = builder.build().numberedFrom(1);
        second.forEach(sample -> add(builder, sample));
        MessageBatch two = builder.build().numberedFrom(1);
        check(one, first);
        check(two, second);
    }

    @Test
    void selectedAndMergedMessagesKeepTheirSequence() {
        MessageBatch.Builder builder = new MessageBatch.Builder(10);
        Random random = new Random(2);
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            samples.add(sample(random));
            add(builder, samples.get(i));
        }
        MessageBatch batch = builder.build().numberedFrom(500);
        MessageBatch odd = Batches.select(batch, sequence -> sequence % 2 == 1);
        MessageBatch even = Batches.select(batch, sequence -> sequence % 2 == 0);
        assertThat(odd.count() + even.count()).isEqualTo(100);
        MessageCursor cursor = Batches.merge(List.of(odd, even)).cursor();
        for (int i = 0; i < 100; i++) {
            assertThat(cursor.next()).isTrue();
            assertThat(cursor.sequence()).isEqualTo(500 + i);
            assertThat(cursor.payload()).isEqualTo(samples.get(i).payload());
            assertThat(cursor.properties()).isEqualTo(samples.get(i).properties());
        }
        assertThat(cursor.next()).isFalse();
    }

    private static void add(MessageBatch.Builder builder, Sample sample) {
        builder.add(
                sample.topic(),
                sample.qos(),
                sample.retained(),
                sample.redelivered(),
                sample.time(),
                sample.properties(),
                sample.payload().length,
                (target, offset) -> System.arraycopy(sample.payload(), 0, target, offset, sample.payload().length));
    }

    private static void check(MessageBatch batch, List<Sample> samples) {
        assertThat(batch.count()).isEqualTo(samples.size());
        MessageCursor cursor = batch.cursor();
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            assertThat(cursor.next()).isTrue();
            assertThat(cursor.index()).isEqualTo(i);
            assertThat(cursor.sequence()).isEqualTo(batch.firstSequence() + i);
            assertThat(cursor.topic()).isEqualTo(sample.topic());
            assertThat(cursor.qos()).isEqualTo(sample.qos());
            assertThat(cursor.retained()).isEqualTo(sample.retained());
            assertThat(cursor.redelivered()).isEqualTo(sample.redelivered());
            assertThat(cursor.receivedAtMicros()).isEqualTo(sample.time());
            assertThat(cursor.properties()).isEqualTo(sample.properties());
            assertThat(cursor.payload()).isEqualTo(sample.payload());
        }
        assertThat(cursor.next()).isFalse();
    }

    private static Sample sample(Random random) {
        byte[] payload = new byte[random.nextInt(10) == 0 ? 0 : random.nextInt(400)];
        random.nextBytes(payload);
        MessageProperties properties = random.nextInt(3) > 0
                ? MessageProperties.NONE
                : new MessageProperties("text/plain", random.nextBoolean() ? null : "r/1", List.of())
                        .with("name", "ü")
                        .with("name", "");
        return new Sample(
                "plant/é" + random.nextInt(20),
                random.nextInt(3),
                random.nextBoolean(),
                random.nextBoolean(),
                1_790_000_000_000_000L + random.nextInt(),
                properties,
                payload);
    }
}
