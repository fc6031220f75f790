package io.plantline.spi.object;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Topics as names of objects. */
class TopicPathTest {
    private static final String[] PARTS = {
        "a", "..", ".", "", "%2e%2e", "/", "\\", "{}", "=", "ü", "u\u0308", "\u202e", "\n", "+", "~", "%_", "%", " ",
        "CON"
    };

    @ParameterizedTest
    @CsvSource({
        "com1/plant1/area1, com1/plant1/area1",
        "../../etc/passwd, %2E%2E/%2E%2E/etc/passwd",
        "/a//b/, %_/a/%_/b/%_",
        "a b, a%20b",
        "%2e%2e, %252e%252e",
        "ü, %C3%BC",
    })
    void encodes(String topic, String path) {
        assertThat(TopicPath.encode(topic)).isEqualTo(path);
    }

    @Test
    void isInjectiveAndStaysUnderItsPrefix() {
        Random random = new Random(7);
        Set<String> topics = new HashSet<>();
        Set<String> paths = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            StringBuilder topic = new StringBuilder();
            for (int n = random.nextInt(6); n >= 0; n--) {
                topic.append(PARTS[random.nextInt(PARTS.length)]);
            }
            String path = TopicPath.encode(topic.toString());
            if (topics.add(topic.toString())) {
                assertThat(paths.add(path)).as(topic.toString()).isTrue();
            }
            assertThat(TopicPath.decode(path)).isEqualTo(topic.toString());
            assertThat(path).matches("[A-Za-z0-9._=%/-]+").doesNotStartWith("/").doesNotContain("//");
            assertThat(("/" + path + "/")).doesNotContain("/../").doesNotContain("/./");
        }
    }

    @Test
    void longTopicsEndInAHashAndStayApart() {
        String one = "a/".repeat(400) + "x";
        String other = "a/".repeat(400) + "y";
        String level = "ü".repeat(60);
        assertThat(TopicPath.encode(one)).hasSizeLessThanOrEqualTo(512).isNotEqualTo(TopicPath.encode(other));
        assertThat(TopicPath.encode(level)).hasSizeLessThanOrEqualTo(200).contains("~");
        assertThat(TopicPath.encode("t".repeat(65_535)).getBytes(StandardCharsets.UTF_8).length)
                .isLessThan(513);
    }
}
