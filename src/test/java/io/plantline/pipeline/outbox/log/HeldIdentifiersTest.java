package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.pipeline.Identifiers;
import java.nio.ByteBuffer;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class HeldIdentifiersTest {
    private static final long FIRST = Identifiers.firstGeneration(0) + 5;
    private static final long SECOND = Identifiers.firstGeneration(1) + 2;

    private static BitSet bits(int... some) {
        BitSet bits = new BitSet();
        for (int bit : some) {
            bits.set(bit);
        }
        return bits;
    }

    @Test
    void eachConnectionHasItsOwn() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(FIRST, new int[] {1, 2, 65_535});
        held.add(SECOND, new int[] {2, 3});
        held.remove(FIRST, new int[] {2});
        assertThat(held.of(FIRST)).isEqualTo(bits(1, 65_535));
        assertThat(held.of(SECOND)).isEqualTo(bits(2, 3));
        assertThat(held.heldOf(SECOND, new int[] {1, 2, 3})).containsExactly(2, 3);
    }

    @Test
    void aNewSessionEndsTheOneBeforeOfItsConnectionAlone() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(FIRST, new int[] {1});
        held.add(SECOND, new int[] {1});
        held.add(FIRST + 1, new int[] {7});
        assertThat(held.of(FIRST)).isEqualTo(bits());
        assertThat(held.of(FIRST + 1)).isEqualTo(bits(7));
        assertThat(held.of(SECOND)).isEqualTo(bits(1));
        held.add(FIRST, new int[] {9});
        held.remove(FIRST, new int[] {7});
        assertThat(held.of(FIRST + 1)).as("what is late means nothing").isEqualTo(bits(7));
    }

    @Test
    void asBytesAndBack() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(FIRST, new int[] {1, 40_000});
        held.add(SECOND, new int[] {3});
        ByteBuffer bytes = ByteBuffer.allocate(held.encodedSize());
        held.encode(bytes);
        assertThat(bytes.hasRemaining()).isFalse();
        HeldIdentifiers read = HeldIdentifiers.decode(bytes.flip());
        assertThat(read.of(FIRST)).isEqualTo(bits(1, 40_000));
        assertThat(read.of(SECOND)).isEqualTo(bits(3));
        HeldIdentifiers copy = read.copy();
        copy.remove(SECOND, new int[] {3});
        assertThat(copy.of(SECOND)).isEqualTo(bits());
        assertThat(read.of(SECOND)).isEqualTo(bits(3));
    }
}
