package io.plantline.mqtt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The messages of one read of the socket that wait for an acknowledgement together. Done when they are safe and so are
 * the messages they are copies of.
 */
final class Receipt {
    private final Acknowledgements owner;
    private int[] packetIds = new int[16];
    private int count;
    private long bytes;
    private int waitingFor = 1;
    private final List<Receipt> copies = new ArrayList<>(0);

    Receipt(Acknowledgements owner) {
        this.owner = owner;
    }

    /** Adds a message to acknowledge. */
    void add(int packetId, int qos) {
        if (count == 0) {
            owner.queue(
                    this); // Without it nothing of a read waits for its turn: QoS 0 passes whatever is in front of it.
        }
        if (count == packetIds.length) {
            packetIds = Arrays.copyOf(packetIds, count * 2);
        }
        packetIds[count++] = packetId | qos << 16;
        owner.delivered();
    }

    void addBytes(long size) {
        bytes += size;
    }

    /** Bytes held until the messages are safe. */
    long bytes() {
        return bytes;
    }

    int count() {
        return count;
    }

    int packetId(int index) {
        return packetIds[index] & 0xFFFF;
    }

    int qos(int index) {
        return packetIds[index] >> 16;
    }

    boolean isDone() {
        return waitingFor == 0;
    }

    /** This receipt holds a copy of a message that {@code original} waits for. */
    void waitFor(Receipt original) {
        if (original != this && !original.isDone()) {
            waitingFor++;
            original.copies.add(this);
        }
    }

    /**
     * What it waited for will not come: its messages are not safe. Copies fail with it, each on its own connection.
     *
     * @param forget takes the identifiers of a failed receipt out of memory
     */
    void fail(java.util.function.Consumer<Receipt> forget) {
        forget.accept(this);
        owner.abandon();
        List<Receipt> waiting = List.copyOf(copies);
        copies.clear();
        waiting.forEach(copy -> copy.fail(forget));
    }

    /** One of the things it waits for is there. */
    void arrived() {
        waitingFor--;
        if (waitingFor == 0) {
            for (Receipt copy : copies) {
                copy.arrived();
            }
            copies.clear();
            owner.drain();
        }
    }
}
