package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A disk in memory that does what real ones do: what was not forced may be lost in a crash, sector by sector and in any
 * order; writes and forces fail; bits flip. Thread-safe, and deterministic for one caller.
 */
final class SimulatedDisk implements Disk {
    private static final int SECTOR = 512;

    /** The process ended: nothing it does reaches the disk any more. */
    static final class Crashed extends Error {
        private static final long serialVersionUID = 1;

        Crashed() {
            super("the simulated process has ended", null, false, false);
        }
    }

    private final Map<String, Content> files = new TreeMap<>();
    private Map<String, Content> durableNames = new TreeMap<>();
    private int operationsLeft = Integer.MAX_VALUE;
    private boolean crashed;
    private int failForces;
    private int forcesLeft = -1;
    private int failWrites;
    private int readsLeft = -1;
    private long capacity = Long.MAX_VALUE;
    private static final int BLOCK = 4_096;

    private boolean scarce;
    private boolean gone;
    private boolean journalGivenUp;
    private int journaledLeft = Integer.MAX_VALUE;
    private int forces;

    private static final class Content {
        private byte[] durable = new byte[0];
        private byte[] now = new byte[0];

        private int badFrom;
        private int badTo;

        void write(byte[] bytes, int at) {
            if (now.length < at + bytes.length) {
                now = Arrays.copyOf(now, at + bytes.length);
            }
            System.arraycopy(bytes, 0, now, at, bytes.length);
        }

        /** Where no journal takes its length, a file keeps the one it had. */
        void force(boolean journaled) {
            if (journaled) {
                durable = now.clone();
            } else {
                System.arraycopy(now, 0, durable, 0, Math.min(now.length, durable.length));
            }
        }

        Content copy() {
            Content copy = new Content();
            copy.durable = durable.clone();
            copy.now = now.clone();
            return copy;
        }
    }

    /** The program crashes in the operation after so many more; half of a write may reach the file. */
    synchronized void crashAfter(int operations) {
        operationsLeft = operations;
    }

    synchronized boolean isCrashed() {
        return crashed;
    }

    synchronized void failForces(int count) {
        failForces = count;
    }

    /** The force after so many more fails. */
    synchronized void failForceAfter(int more) {
        forcesLeft = more;
    }

    synchronized void failWrites(int count) {
        failWrites = count;
    }

    /** The read after so many more fails, and no other. */
    synchronized void failReadAfter(int reads) {
        readsLeft = reads;
    }

    /** No file can grow any more; where one has its blocks already, writing takes none. */
    synchronized void full(boolean is) {
        capacity = is ? used() : Long.MAX_VALUE;
    }

    /** So many bytes more, and no file can grow any more. */
    synchronized void room(long more) {
        capacity = used() + more;
    }

    private long used() {
        return files.values().stream().mapToLong(content -> content.now.length).sum();
    }

    /** Writes are taken, but there is less room than one should leave. */
    synchronized void scarce(boolean is) {
        scarce = is;
    }

    synchronized int forces() {
        return forces;
    }

    /**
     * The file system gives up its journal after so many operations more, as ext4 does where it finds damage. Forces go on to be confirmed, but what files are called
     * and how long they are stays as it was; soon after the first attempt to change that the process ends.
     */
    synchronized void giveUpJournalAfter(int operations) {
        journaledLeft = operations;
    }

    synchronized boolean hasGivenUpJournal() {
        return journalGivenUp;
    }

    private void needJournal() throws IOException {
        if (journalGivenUp) {
            operationsLeft = Math.min(operationsLeft, 3);
            throw new IOException("Read-only file system");
        }
    }

    /** The disk as the next start finds it after a power cut. */
    synchronized SimulatedDisk afterPowerCut(Random random) {
        crashed = true;
        SimulatedDisk next = new SimulatedDisk();
        Map<String, Content> names = journalGivenUp || random.nextBoolean() ? durableNames : files;
        names.forEach((name, content) -> {
            Content survived = new Content();
            int length = !journalGivenUp && random.nextBoolean() ? content.now.length : content.durable.length;
            survived.now = Arrays.copyOf(content.durable, Math.max(length, content.durable.length));
            for (int sector = 0; sector < content.now.length; sector += SECTOR) {
                if (random.nextBoolean()) {
                    int size = Math.min(SECTOR, Math.min(content.now.length, survived.now.length) - sector);
                    if (size > 0) {
                        System.arraycopy(content.now, sector, survived.now, sector, size);
                    }
                }
            }
            survived.durable = survived.now.clone();
            next.files.put(name, survived);
        });
        next.durableNames = new TreeMap<>(next.files);
        return next;
    }

    /** The disk as the next start finds it after the process was killed: all that was written is there, and may still be lost. */
    synchronized SimulatedDisk afterKill() {
        crashed = true;
        SimulatedDisk next = new SimulatedDisk();
        Map<Content, Content> copies = new IdentityHashMap<>();
        files.forEach((name, content) -> next.files.put(name, copies.computeIfAbsent(content, Content::copy)));
        durableNames.forEach(
                (name, content) -> next.durableNames.put(name, copies.computeIfAbsent(content, Content::copy)));
        return next;
    }

    /** Another disk with the same files. */
    synchronized SimulatedDisk copy() {
        SimulatedDisk next = new SimulatedDisk();
        files.forEach((name, content) -> {
            Content survived = new Content();
            survived.now = content.now.clone();
            survived.durable = content.now.clone();
            next.files.put(name, survived);
        });
        next.durableNames = new TreeMap<>(next.files);
        return next;
    }

    synchronized void flipBit(String name, int at, int bit) {
        files.get(name).now[at] ^= (byte) (1 << bit);
        files.get(name).durable = files.get(name).now.clone();
    }

    /** Damage as a disk does it: whole sectors. */
    synchronized void zero(String name, int from, int to) {
        Arrays.fill(files.get(name).now, from, to, (byte) 0);
        files.get(name).durable = files.get(name).now.clone();
    }

    /** Bytes that cannot be read any more. */
    synchronized void breakBlock(String name, int from, int to) {
        files.get(name).badFrom = from;
        files.get(name).badTo = to;
    }

    /** Nothing can be written, for a while, nor read but for the first block of each file, which the system has in memory. */
    synchronized void gone(boolean is) {
        gone = is;
    }

    synchronized void truncate(String name, int length) {
        files.get(name).now = Arrays.copyOf(files.get(name).now, length);
        files.get(name).durable = files.get(name).now.clone();
    }

    synchronized int length(String name) {
        return files.get(name).now.length;
    }

    private void failIfItIsTime() throws IOException {
        if (forcesLeft-- == 0 || failForces > 0) {
            failForces = Math.max(0, failForces - 1);
            throw new IOException("Input/output error");
        }
    }

    private void operation() {
        if (crashed) {
            throw new Crashed();
        }
        if (operationsLeft-- == 0) {
            crashed = true;
        }
        if (journaledLeft-- == 0) {
            journalGivenUp = true;
        }
    }

    @Override
    public synchronized List<String> list() {
        return new ArrayList<>(files.keySet());
    }

    @Override
    public synchronized File create(String name) throws IOException {
        operation();
        if (!files.containsKey(name)) {
            needJournal();
        }
        return new Open(files.computeIfAbsent(name, n -> new Content()));
    }

    @Override
    public synchronized File open(String name) throws IOException {
        Content content = files.get(name);
        if (content == null) {
            throw new NoSuchFileException(name);
        }
        return new Open(content);
    }

    @Override
    public synchronized void rename(String from, String to) throws IOException {
        operation();
        needJournal();
        Content content = files.remove(from);
        if (content == null) {
            throw new NoSuchFileException(from);
        }
        files.put(to, content);
    }

    @Override
    public synchronized void delete(String name) throws IOException {
        operation();
        if (files.containsKey(name)) {
            needJournal();
        }
        files.remove(name);
    }

    @Override
    public synchronized void forceNames() throws IOException {
        operation();
        if (crashed) {
            throw new Crashed();
        }
        failIfItIsTime();
        if (!journalGivenUp) {
            durableNames = new TreeMap<>(files);
        }
    }

    @Override
    public synchronized long usableBytes() {
        return scarce ? 0 : Math.max(0, capacity - used());
    }

    private final class Open implements File {
        private final Content content;

        Open(Content content) {
            this.content = content;
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                if (readsLeft-- == 0
                        || (gone && position + into.remaining() > BLOCK)
                        || (content.badTo > position && content.badFrom < position + into.remaining())) {
                    throw new IOException("Input/output error");
                }
                int size = (int) Math.max(0, Math.min(into.remaining(), content.now.length - position));
                into.put(content.now, (int) Math.min(position, content.now.length), size);
                return size;
            }
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                byte[] bytes = new byte[from.remaining()];
                from.get(bytes);
                long room = content.now.length - position + Math.max(0, capacity - used());
                boolean refused = bytes.length > room;
                if (crashed || refused) {
                    bytes = Arrays.copyOf(bytes, refused ? (int) Math.max(0, room) : bytes.length / 2);
                }
                content.write(bytes, (int) position);
                if (crashed) {
                    throw new Crashed();
                }
                if (refused) {
                    throw new IOException("No space left on device");
                }
                if (failWrites > 0 || gone) {
                    failWrites--;
                    throw new IOException("Input/output error");
                }
            }
        }

        @Override
        public void force() throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                if (crashed) {
                    throw new Crashed();
                }
                failIfItIsTime();
                forces++;
                content.force(!journalGivenUp);
            }
        }

        @Override
        public long size() {
            synchronized (SimulatedDisk.this) {
                return content.now.length;
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                if (crashed) {
                    throw new Crashed();
                }
                if (size < content.now.length) {
                    needJournal();
                }
                content.now = Arrays.copyOf(content.now, (int) Math.min(size, content.now.length));
            }
        }

        @Override
        public void close() {}
    }
}
