package io.plantline.pipeline.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeapShareTest {
    private static final long MEGABYTE = 1 << 20;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 16, 60})
    void whatAllLanesHaveIsAnEighthOfTheHeapAtMost(int lanes) {
        assertThat(HeapShare.bytes(128 * MEGABYTE, lanes) * lanes).isLessThanOrEqualTo(16 * MEGABYTE);
    }

    @Test
    void oneLaneNeedsNoMoreThanAnUsualPlan() {
        assertThat(HeapShare.bytes(4096 * MEGABYTE, 1)).isEqualTo(16 * MEGABYTE);
    }

    @Test
    void noLaneIsLeftWithNothing() {
        assertThat(HeapShare.bytes(64 * MEGABYTE, 10_000)).isEqualTo(256 << 10);
    }
}
