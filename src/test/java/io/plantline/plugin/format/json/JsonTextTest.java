package io.plantline.plugin.format.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One reader says what a whole parser says. */
class JsonTextTest {
    private static final JsonFactory JACKSON = new JsonFactoryBuilder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxNumberLength(1_000)
                    .build())
            .build();

    private static final List<String> SEEDS = List.of(
            """
            {"ts":1732572444123,"site":"p-7","value":-73.25e+2,"ok":true,"none":null,"tags":{"a":"B\\n","l":[]},"x":[6.0,{}]}""",
            "[1, 2.5, -0, 0.1E-9, \"\\u00e9\\\"\\\\\", [[[]]], false]",
            "\"text \\/ \\b\\f\\r\\t\"",
            "  17 ",
            "true");
    private static final String BYTES = "{}[]:,\"\\ \t0123456789-+.eEtrufalsn/bxA\u0001";

    private static boolean isJson(String text) {
        byte[] bytes = ("##" + text + "##").getBytes(StandardCharsets.UTF_8);
        return JsonText.isOneLine(bytes, 2, bytes.length - 4);
    }

    private static boolean isJsonToJackson(String text) {
        try (JsonParser parser = JACKSON.createParser(text.getBytes(StandardCharsets.UTF_8))) {
            if (parser.nextToken() == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void agreesWithAParserOnWhatIsBrokenAtRandom() {
        Random random = new Random(7);
        int valid = 0;
        for (int i = 0; i < 200_000; i++) {
            StringBuilder text = new StringBuilder(SEEDS.get(random.nextInt(SEEDS.size())));
            for (int edits = random.nextInt(4); edits > 0 && !text.isEmpty(); edits--) {
                int at = random.nextInt(text.length());
                char with = BYTES.charAt(random.nextInt(BYTES.length()));
                switch (random.nextInt(4)) {
                    case 0 -> text.setCharAt(at, with);
                    case 1 -> text.insert(at, with);
                    case 2 -> text.deleteCharAt(at);
                    default -> text.setLength(at);
                }
            }
            boolean expected = isJsonToJackson(text.toString());
            valid += expected ? 1 : 0;
            assertThat(isJson(text.toString())).as("%s", text).isEqualTo(expected);
        }
        assertThat(valid).as("of both kinds").isBetween(20_000, 180_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1,\n2]", "{\"a\":\r1}", "1\n", "", " ", "\u00e9", "\ufeff1"})
    void isNotWhatNeedsTwoLinesOrIsNothing(String text) {
        assertThat(isJson(text)).isFalse();
    }

    @Test
    void hasTheLimitsThatReadersHave() {
        assertThat(isJson("[".repeat(100) + "]".repeat(100))).isTrue();
        assertThat(isJson("[".repeat(101) + "]".repeat(101))).isFalse();
        assertThat(isJson("[".repeat(1_000_000))).isFalse();
        assertThat(isJson("7".repeat(1_000))).isTrue();
        assertThat(isJson("7".repeat(1_001))).isFalse();
    }
}
