package io.plantline.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** MQTT 5.0 section 4.7. */
class TopicFilterTest {
    @ParameterizedTest
    @CsvSource({
        "a/b, a/b, true",
        "a/b, a/c, false",
        "a/b, a/b/c, false",
        "a/+, a/b, true",
        "a/+, a/, true",
        "a/+, a, false",
        "a/+, a/b/c, false",
        "+, a, true",
        "+/+, /a, true",
        "/+, /a, true",
        "+, /a, false",
        "a/#, a, true",
        "a/#, a/b/c, true",
        "a/#, ab, false",
        "#, a/b, true",
        "#, $SYS/x, false",
        "+/x, $SYS/x, false",
        "$SYS/#, $SYS/x, true",
        "a/+/c, a/b/c, true",
        "a//c, a//c, true",
        "a/+/c, a//c, true",
        "$share/g/a/+, a/b, true",
        "A/b, a/b, false",
    })
    void matches(String filter, String topic, boolean expected) {
        assertThat(TopicFilter.of(filter).matches(topic)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a+",
                "a/b+/c",
                "a/#/b",
                "#a",
                "a#",
                "$share/g",
                "$share//a",
                "$share/g/",
                "$share/g+/a",
                "a\u0000b"
            })
    void isNoFilter(String text) {
        assertThat(TopicFilter.problemWith(text)).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({
        "a/b, a/b, true",
        "a/+, a/b, true",
        "a/+, +/b, true",
        "a/+, b/+, false",
        "a/#, a, true",
        "a/#, +, true",
        "#, a/b/c, true",
        "#, $SYS/x, false",
        "+/x, $SYS/x, false",
        "a/+/c, a/b/d, false",
        "a/+/#, a/b, true",
        "a/b/c, a/+, false",
    })
    void overlaps(String one, String other, boolean expected) {
        assertThat(TopicFilter.of(one).overlaps(TopicFilter.of(other))).isEqualTo(expected);
        assertThat(TopicFilter.of(other).overlaps(TopicFilter.of(one))).isEqualTo(expected);
    }

    @Test
    void checkingTakesNoTime() {
        org.junit.jupiter.api.Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(1), () -> TopicFilter.problemWith("a/+/".repeat(100_000)));
    }
}
