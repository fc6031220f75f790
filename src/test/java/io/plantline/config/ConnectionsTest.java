package io.plantline.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.TopicFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConnectionsTest {
    private static Subscription subscription(String filter) {
        return new Subscription(TopicFilter.of(filter), 2, List.of("t"));
    }

    private static List<Subscription> many() {
        return IntStream.range(0, 400)
                .mapToObj(i -> subscription("area/" + i + "/#"))
                .toList();
    }

    @Test
    void eachFilterHasOneConnectionAndTheyAreEven() {
        List<List<Subscription>> split = Connections.split(many(), 4);
        List<Subscription> all = new ArrayList<>();
        split.forEach(all::addAll);
        assertThat(all).containsExactlyInAnyOrderElementsOf(many());
        assertThat(split).allSatisfy(one -> assertThat(one.size()).isBetween(60, 140));
    }

    @Test
    void oneConnectionMoreMovesItsShareAndNothingElse() {
        List<List<Subscription>> before = Connections.split(many(), 3);
        List<List<Subscription>> after = Connections.split(many(), 4);
        for (int i = 0; i < 3; i++) {
            assertThat(before.get(i)).containsAll(after.get(i));
        }
    }

    @Test
    void filtersThatOverlapAreTogether() {
        List<Subscription> some = List.of(
                subscription("a/b"), subscription("c/d"), subscription("+/d"), subscription("a/+"), subscription("x"));
        for (int connections = 1; connections < 9; connections++) {
            List<List<Subscription>> split = Connections.split(some, connections);
            assertThat(split.stream().filter(one -> one.contains(some.get(0))))
                    .allSatisfy(one -> assertThat(one).contains(some.get(1), some.get(2), some.get(3)));
        }
    }

    @Test
    void oneThatIsSpreadIsWithAll() {
        Subscription hot = new Subscription(TopicFilter.of("$share/me/hot/#"), 1, List.of("t"), true);
        assertThat(Connections.split(List.of(hot, subscription("cold")), 3))
                .allSatisfy(one -> assertThat(one).contains(hot));
    }
}
