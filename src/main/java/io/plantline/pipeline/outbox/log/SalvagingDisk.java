package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads a disk with bad blocks: what cannot be read of a file is zeros, which no checksum fits. Only where something else of
 * the file can be read and the disk takes what is written: one that is gone has no bad blocks, it is waited for, although the system may
 * still have some of it in memory.
 */
final class SalvagingDisk extends ForwardingDisk {
    private static final int BLOCK = 4_096;
    private static final String PROBE = "probe";

    SalvagingDisk(Disk disk) {
        super(disk);
    }

    @Override
    public File open(String name) throws IOException {
        return new Salvaging(super.open(name));
    }

    private boolean takesWrites() {
        try (File probe = create(PROBE)) {
            probe.write(ByteBuffer.allocate(BLOCK), 0);
            probe.force();
        } catch (IOException e) {
            return isFull();
        }
        try {
            delete(PROBE);
        } catch (IOException e) {
            // It is written over the next time.
        }
        return true;
    }

    private boolean isFull() {
        try {
            return usableBytes() < 16 * BLOCK;
        } catch (IOException e) {
            return false;
        }
    }

    private final class Salvaging extends ForwardingFile {
        Salvaging(File file) {
            super(file);
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            int start = into.position();
            try {
                return super.read(into, position);
            } catch (IOException e) {
                into.position(start);
                return readBlocks(into, position, e);
            }
        }

        private int readBlocks(ByteBuffer into, long position, IOException failure) throws IOException {
            long end = Math.min(size(), position + into.remaining());
            boolean any = false;
            for (long at = position; at < end; ) {
                int size = (int) Math.min(end - at, BLOCK - at % BLOCK);
                ByteBuffer block = ByteBuffer.allocate(size);
                any |= canRead(block, at);
                into.put(block.clear());
                at += size;
            }
            if (!(any || canReadElsewhere(position, end)) || !takesWrites()) {
                throw failure;
            }
            return (int) Math.max(0, end - position);
        }

        private boolean canReadElsewhere(long from, long to) throws IOException {
            for (long at = 0; at < size(); at += BLOCK) {
                if ((at + BLOCK <= from || at >= to) && canRead(ByteBuffer.allocate(1), at)) {
                    return true;
                }
            }
            return false;
        }

        private boolean canRead(ByteBuffer into, long at) {
            try {
                super.read(into, at);
                return true;
            } catch (IOException e) {
                return false;
            }
        }
    }
}
