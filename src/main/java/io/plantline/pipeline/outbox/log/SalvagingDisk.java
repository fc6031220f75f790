package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Reads a disk with bad blocks: what cannot be read of a file is zeros, which no checksum fits. Only where something else of
 * the file can be read: a disk that is gone has no bad blocks, it is waited for.
 */
final class SalvagingDisk implements Disk {
    private static final int BLOCK = 4_096;

    private final Disk disk;

    SalvagingDisk(Disk disk) {
        this.disk = disk;
    }

    @Override
    public List<String> list() throws IOException {
        return disk.list();
    }

    @Override
    public File create(String name) throws IOException {
        return disk.create(name);
    }

    @Override
    public File open(String name) throws IOException {
        return new Salvaging(disk.open(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        disk.delete(name);
    }

    @Override
    public void forceNames() throws IOException {
        disk.forceNames();
    }

    @Override
    public long usableBytes() throws IOException {
        return disk.usableBytes();
    }

    private record Salvaging(File file) implements File {
        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            int start = into.position();
            try {
                return file.read(into, position);
            } catch (IOException e) {
                into.position(start);
                return readBlocks(into, position, e);
            }
        }

        private int readBlocks(ByteBuffer into, long position, IOException failure) throws IOException {
            long end = Math.min(file.size(), position + into.remaining());
            boolean any = false;
            for (long at = position; at < end; ) {
                int size = (int) Math.min(end - at, BLOCK - at % BLOCK);
                ByteBuffer block = ByteBuffer.allocate(size);
                any |= canRead(block, at);
                into.put(block.clear());
                at += size;
            }
            if (!any && !canReadElsewhere(position, end)) {
                throw failure;
            }
            return (int) Math.max(0, end - position);
        }

        private boolean canReadElsewhere(long from, long to) throws IOException {
            for (long at = 0; at < file.size(); at += BLOCK) {
                if ((at + BLOCK <= from || at >= to) && canRead(ByteBuffer.allocate(1), at)) {
                    return true;
                }
            }
            return false;
        }

        private boolean canRead(ByteBuffer into, long at) {
            try {
                file.read(into, at);
                return true;
            } catch (IOException e) {
                return false;
            }
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            file.write(from, position);
        }

        @Override
        public void force() throws IOException {
            file.force();
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void truncate(long size) throws IOException {
            file.truncate(size);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
