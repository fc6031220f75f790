package io.plantline.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.testkit.TestContext;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Times and payloads as text: quick, and the same as the slow way. */
class TextTest {
    @Test
    void timesReadAsInstantWritesThem() {
        TimeText text = new TimeText();
        Random random = new Random(11);
        long micros = 1_764_109_320_000_000L;
        for (int i = 0; i < 10_000; i++) {
            assertThat(text.of(micros))
                    .isEqualTo(Instant.EPOCH.plus(micros, ChronoUnit.MICROS).toString());
            micros += switch (i % 4) {
                case 0 -> random.nextInt(2_000_000);
                case 1 -> 1_000_000 - Math.floorMod(micros, 1_000_000L);
                case 2 -> 1_000;
                default -> -random.nextInt(3_000_000);
            };
        }
        assertThat(text.of(0)).isEqualTo("1970-01-01T00:00:00Z");
        assertThat(text.of(-1)).isEqualTo("1969-12-31T23:59:59.999999Z");
    }

    private static String payload(byte[] bytes) {
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        TestContext.add(builder, "t", bytes, MessageProperties.NONE);
        MessageCursor cursor = builder.build().cursor();
        cursor.next();
        return PayloadText.of(cursor);
    }

    @Test
    void whatIsUtf8IsTextAndNothingElse() {
        for (String text : new String[] {"", "plain {\"a\": 1}", "müßig", "\u20ac", "\ud83d\ude00", "\u0000\u007f"}) {
            assertThat(payload(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(text);
        }
        assertThat(payload(new byte[] {'a', (byte) 0xC3})).isNull();
        assertThat(payload(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80})).isNull();
        assertThat(payload("müßig".getBytes(StandardCharsets.ISO_8859_1))).isNull();
    }
}
