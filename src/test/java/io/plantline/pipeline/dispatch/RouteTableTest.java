package io.plantline.pipeline.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.TopicFilter;
import io.plantline.pipeline.dispatch.RouteTable.Rule;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouteTableTest {
    private static Rule rule(String filter, int target) {
        return new Rule(TopicFilter.of(filter), 1, Math.abs(filter.hashCode()) % 1000 + 1, target);
    }

    @Test
    void aMessageGoesToEachTargetOnce() {
        RouteTable routes = new RouteTable(List.of(rule("a/#", 0), rule("a/+", 0), rule("a/b", 1), rule("#", 2)));
        assertThat(routes.resolve("a/b").targets()).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(routes.resolve("a/b/c").targets()).containsExactlyInAnyOrder(0, 2);
        assertThat(routes.resolve("x").targets()).containsExactly(2);
        assertThat(routes.resolve("$SYS/x").targets()).isEmpty();
    }

    @Test
    void theBestPlainFilterSpeaksForATarget() {
        Rule share = new Rule(TopicFilter.of("$share/g/a/b"), 2, 1, 0);
        Rule weak = new Rule(TopicFilter.of("a/#"), 0, 2, 0);
        Rule strong = new Rule(TopicFilter.of("a/b"), 2, 3, 0);
        assertThat(new RouteTable(List.of(share, weak, strong)).resolve("a/b").identifiers())
                .containsExactly(3);
    }

    @Test
    void findsWhatTheFiltersSay() {
        Random random = new Random(3);
        String[] levels = {"a", "b", "", "+", "$x", "c"};
        for (int round = 0; round < 300; round++) {
            List<Rule> rules = new java.util.ArrayList<>();
            for (int i = 0; i < 8; i++) {
                StringBuilder filter = new StringBuilder(levels[random.nextInt(levels.length)]);
                for (int n = random.nextInt(3); n > 0; n--) {
                    filter.append('/').append(levels[random.nextInt(levels.length)]);
                }
                String text = filter + (random.nextInt(4) == 0 ? "/#" : "");
                if (TopicFilter.problemWith(text) == null) {
                    rules.add(rule(text, i));
                }
            }
            RouteTable routes = new RouteTable(rules);
            for (int i = 0; i < 20; i++) {
                String topic = levels[random.nextInt(3)] + "/" + levels[random.nextInt(3)]
                        + (random.nextBoolean() ? "" : "/c");
                Integer[] expected = rules.stream()
                        .filter(rule -> rule.filter().matches(topic))
                        .map(Rule::target)
                        .toArray(Integer[]::new);
                assertThat(java.util.Arrays.stream(routes.resolve(topic).targets())
                                .boxed()
                                .toList())
                        .as(topic)
                        .containsExactlyInAnyOrder(expected);
            }
        }
    }
}
