package io.plantline.spi.object;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PublishBatch;
import io.plantline.spi.Verdicts;
import io.plantline.testkit.TestContext;
import io.vertx.core.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A plan of many topics, each of which is an object. */
class ObjectWriterTest {
    private static final int TOPICS = 1_000;
    private static final ObjectLayout BY_TOPIC = new ObjectLayout("", "m", "{topic}", false);

    private static final int PER_DRAFT = 1_000;

    private final PayloadFormat format = new Lines();
    private final TestContext context = new TestContext(format);
    private final Map<String, String> shown = new TreeMap<>();
    private String refused = "none";
    private int open;
    private int mostOpen;

    private final class MemoryDraft implements ObjectStore.Draft {
        private final String key;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        MemoryDraft(String key) {
            this.key = key;
            open++;
            mostOpen = Math.max(mostOpen, open);
        }

        @Override
        public OutputStream stream() {
            return bytes;
        }

        @Override
        public Future<Void> publish() {
            open--;
            if (key.startsWith(refused)) {
                return Future.failedFuture(Failure.reject("refused", key).asException());
            }
            assertThat(shown.put(key, bytes.toString())).as("written once").isNull();
            return Future.succeededFuture();
        }

        @Override
        public Future<Void> discard() {
            open--;
            return Future.succeededFuture();
        }
    }

    /** A line for each message. */
    private static final class Lines implements PayloadFormat {
        @Override
        public String extension() {
            return "txt";
        }

        @Override
        public String contentType() {
            return "text/plain";
        }

        @Override
        public Encoder encoder(OutputStream out) {
            return new Encoder() {
                @Override
                public void write(String id, MessageCursor message) throws IOException {
                    out.write(message.payload());
                    out.write('\n');
                }

                @Override
                public void close() {}
            };
        }
    }

    @AfterEach
    void close() {
        context.close();
    }

    private static PublishBatch plan() {
        MessageBatch.Builder builder = new MessageBatch.Builder(1 << 16);
        for (int round = 0; round < 3; round++) {
            for (int topic = 0; topic < TOPICS; topic++) {
                TestContext.add(builder, "t" + topic, ("" + round).getBytes(), MessageProperties.NONE);
            }
        }
        return TestContext.plan(builder.build().numberedFrom(1));
    }

    private Verdicts write(PublishBatch plan) {
        ObjectWriter writer =
                new ObjectWriter(BY_TOPIC, format, (some, key) -> new MemoryDraft(key), context, 4, PER_DRAFT);
        return context.call(() -> writer.write(plan));
    }

    @Test
    void fewOfManyObjectsAreOpenAtOnceAndEachIsWrittenOnce() {
        PublishBatch plan = plan();
        assertThat(write(plan).refused()).isEmpty();
        assertThat(mostOpen).isBetween(2, 64);
        assertThat(open).isZero();
        assertThat(shown).hasSize(TOPICS);
        List<Integer> parts = new ArrayList<>();
        shown.forEach((key, lines) -> {
            assertThat(lines.lines()).as(key).hasSize(3);
            parts.add(Integer.valueOf(key.replaceFirst(".*-(\\d+)\\.\\w+", "$1")));
        });
        assertThat(parts).as("numbers by first appearance, each once").doesNotHaveDuplicates();
        assertThat(shown).containsKey("t0/m-" + plan.plan().id() + "-0.txt");
        assertThat(shown).containsKey("t999/m-" + plan.plan().id() + "-999.txt");
    }

    @Test
    void aRefusalIsOfTheMessagesOfItsObject() {
        refused = "t999/";
        Verdicts verdicts = write(plan());
        assertThat(verdicts.refused()).containsOnlyKeys(TOPICS - 1, 2 * TOPICS - 1, 3 * TOPICS - 1);
        assertThat(shown).hasSize(TOPICS - 1);
    }
}
