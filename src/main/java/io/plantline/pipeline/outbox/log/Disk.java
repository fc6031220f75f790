package io.plantline.pipeline.outbox.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** A folder of files, as the log needs it: the seam at which tests make a disk fail. */
public interface Disk {

    /** Names of the files there are. */
    List<String> list() throws IOException;

    /** Opens a file to read and write, and makes it if it is not there. */
    File create(String name) throws IOException;

    /**
     * Opens a file that is there.
     *
     * @throws java.nio.file.NoSuchFileException if it is not
     */
    File open(String name) throws IOException;

    /** Renames a file; durable once {@link #forceNames} has returned. */
    void rename(String from, String to) throws IOException;

    void delete(String name) throws IOException;

    /** Makes what files are called durable. */
    void forceNames() throws IOException;

    /** Bytes that may still be written. */
    long usableBytes() throws IOException;

    /** Opens folders as disks. */
    @FunctionalInterface
    interface Opener {
        Disk open(Path folder) throws IOException;
    }

    /** One file. */
    interface File extends Closeable {
        /** Reads at {@code position} until the buffer is full or the file ends; the bytes read. */
        int read(ByteBuffer into, long position) throws IOException;

        /** Writes all of the buffer. */
        void write(ByteBuffer from, long position) throws IOException;

        /** Makes what was written durable. After a failure nothing is known of it, and a repetition proves nothing. */
        void force() throws IOException;

        long size() throws IOException;

        /** Cuts off what is behind {@code size}; durable once {@link #force} has returned. */
        void truncate(long size) throws IOException;
    }
}
