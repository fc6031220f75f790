package io.plantline.pipeline.outbox.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.model.Fingerprint;
import io.plantline.pipeline.Identifiers;
import io.plantline.pipeline.Unreleased;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeldIdentifiersTest {
    private static final long FIRST = Identifiers.firstGeneration(0) + 5;
    private static final long SECOND = Identifiers.firstGeneration(1) + 2;

    private static final Fingerprint X = new Fingerprint(1, -1);
    private static final Fingerprint Y = new Fingerprint(2, -2);

    @Test
    void eachConnectionHasItsOwn() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(new Identifiers(FIRST, new int[] {1, 2, 65_535}));
        held.add(new Identifiers(SECOND, new int[] {2, 3}));
        held.remove(FIRST, new int[] {2});
        assertThat(held.of(FIRST).packetIds()).containsExactly(1, 65_535);
        assertThat(held.of(SECOND).packetIds()).containsExactly(2, 3);
        assertThat(held.heldOf(SECOND, new int[] {1, 2, 3})).containsExactly(2, 3);
    }

    @Test
    void aNewSessionEndsTheOneBeforeOfItsConnectionAlone() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(new Identifiers(FIRST, new int[] {1}));
        held.add(new Identifiers(SECOND, new int[] {1}));
        held.add(new Identifiers(FIRST + 1, new int[] {7}));
        assertThat(held.of(FIRST).packetIds()).isEmpty();
        assertThat(held.of(FIRST + 1).packetIds()).containsExactly(7);
        assertThat(held.of(SECOND).packetIds()).containsExactly(1);
        held.add(new Identifiers(FIRST, new int[] {9}));
        held.remove(FIRST, new int[] {7});
        assertThat(held.of(FIRST + 1).packetIds())
                .as("what is late means nothing")
                .containsExactly(7);
    }

    @Test
    void asBytesAndBack() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(new Identifiers(FIRST, new int[] {1, 40_000}));
        held.add(new Identifiers(SECOND, new int[] {3}));
        ByteBuffer bytes = ByteBuffer.allocate(held.encodedSize());
        held.encode(bytes);
        assertThat(bytes.hasRemaining()).isFalse();
        HeldIdentifiers read = HeldIdentifiers.decode(bytes.flip());
        assertThat(read.of(FIRST).packetIds()).containsExactly(1, 40_000);
        assertThat(read.of(SECOND).packetIds()).containsExactly(3);
        HeldIdentifiers copy = read.copy();
        copy.remove(SECOND, new int[] {3});
        assertThat(copy.of(SECOND).packetIds()).isEmpty();
        assertThat(read.of(SECOND).packetIds()).containsExactly(3);
    }

    @Test
    void contentsGoWithTheirIdentifiersAsBytesAndBack() {
        HeldIdentifiers held = new HeldIdentifiers();
        held.add(new Identifiers(FIRST, new int[] {1}));
        held.add(new Identifiers(FIRST, new int[] {2, 40_000}, List.of(X, Y)));
        held.add(new Identifiers(SECOND, new int[] {3}));
        ByteBuffer bytes = ByteBuffer.allocate(held.encodedSize());
        held.encode(bytes);
        assertThat(bytes.hasRemaining()).isFalse();
        HeldIdentifiers read = HeldIdentifiers.decode(bytes.flip());
        assertThat(read.of(FIRST).packetIds()).containsExactly(1, 2, 40_000);
        assertThat(read.of(FIRST).packetIdOf(X)).isEqualTo(2);
        assertThat(read.of(FIRST).packetIdOf(Y)).isEqualTo(40_000);
        assertThat(read.of(SECOND).packetIdOf(X)).isZero();
        read.remove(FIRST, new int[] {2});
        assertThat(read.of(FIRST).packetIdOf(X)).isZero();
        assertThat(held.copy().of(FIRST).packetIdOf(X)).isEqualTo(2);
    }

    @Test
    void anIdentifierOrAContentThatComesAgainIsOfTheNewMessage() {
        Unreleased messages = new Unreleased();
        messages.add(1, X);
        messages.add(2, X);
        assertThat(messages.packetIdOf(X)).isEqualTo(2);
        messages.remove(1);
        assertThat(messages.packetIdOf(X)).isEqualTo(2);
        messages.add(2, Y);
        assertThat(messages.packetIdOf(X)).isZero();
        assertThat(messages.packetIdOf(Y)).isEqualTo(2);
        messages.add(2, null);
        assertThat(messages.contentCount()).isZero();
        assertThat(messages.packetIdOf(null)).isZero();
    }
}
