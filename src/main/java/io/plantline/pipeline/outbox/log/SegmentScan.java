package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Walks through the groups of one segment. Damage with a valid group behind it that says it was durable is corruption: it
 * is told of and stepped over. Damage without one is where the log ends.
 */
final class SegmentScan {
    private static final int WINDOW = 1 << 17;
    /** Larger than what a crash leaves of a new file that has no group in it. */
    private static final int LARGEST_UNBORN = 1 << 17;

    private final Disk.File file;
    private final long segment;
    private final long end;
    private final Damage damage;
    private final ByteBuffer window = ByteBuffer.allocate(WINDOW);
    private ByteBuffer body = ByteBuffer.allocate(0);
    private long windowAt = -1;
    private long position;

    /** Is told of bytes that were durable once and are not what was written. */
    interface Damage {
        void at(long segment, long from, long to) throws IOException;
    }

    /**
     * A scan.
     *
     * @param from where a group starts
     * @param end where the segment ends, or {@link Long#MAX_VALUE} if that is to be found out
     */
    SegmentScan(Disk.File file, long segment, long from, long end, Damage damage) {
        this.file = file;
        this.segment = segment;
        this.position = from;
        this.end = end;
        this.damage = damage;
        window.limit(0);
    }

    /** Where the next group starts, or the segment ends. */
    long position() {
        return position;
    }

    /** Records of the group that {@link #next} returned. */
    ByteBuffer body() {
        return body;
    }

    /** The next group, or null at the end. */
    @Nullable
    Group next() throws IOException {
        if (position + Group.HEADER > end) {
            return null;
        }
        Group group = at(position);
        if (group == null) {
            long from = position;
            group = search(from + Group.ALIGNMENT);
            boolean sealed = end != Long.MAX_VALUE;
            if (group == null) {
                if (sealed) {
                    damage.at(segment, from, end);
                    position = end;
                }
                return null;
            }
            if (!sealed && group.durable() <= from) {
                return null;
            }
            damage.at(segment, from, group.position());
        }
        position = group.next();
        return group;
    }

    /**
     * Whether something was written and forced in a segment in which no group is left: there are traces of one behind the
     * first, which is forced before there is another, or there is much and nothing of it is of an earlier use of the file.
     */
    boolean heldSomething() throws IOException {
        long size = file.size();
        boolean marked = false;
        for (long at = 0; at + Group.HEADER <= size; at += Group.ALIGNMENT) {
            int offset = load(at, Group.HEADER);
            if (offset >= 0 && Group.isMarked(window, offset)) {
                if (at > 0 && Group.claims(window, offset, segment, at)) {
                    return true;
                }
                marked = true;
            }
        }
        return !marked && size > LARGEST_UNBORN;
    }

    private @Nullable Group search(long from) throws IOException {
        long limit = Math.min(end, file.size());
        for (long at = from; at + Group.HEADER <= limit; at += Group.ALIGNMENT) {
            Group found = at(at);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** The valid group at a place, with its body read. */
    private @Nullable Group at(long place) throws IOException {
        int offset = load(place, Group.HEADER);
        Group group = offset < 0 ? null : Group.read(window, offset, segment, place);
        if (group == null || place + Group.HEADER + group.bodyLength() > Math.min(end, file.size())) {
            return null;
        }
        if (Group.HEADER + group.bodyLength() <= WINDOW) {
            int start = load(place, Group.HEADER + group.bodyLength());
            if (start < 0) {
                return null;
            }
            body = window.duplicate()
                    .position(start + Group.HEADER)
                    .limit(start + Group.HEADER + group.bodyLength())
                    .slice();
        } else {
            body = ByteBuffer.allocate(group.bodyLength());
            file.read(body, place + Group.HEADER);
            body.flip();
        }
        return body.remaining() == group.bodyLength() && group.matches(body) ? group : null;
    }

    /** Offset in the window of the bytes at a place, or -1 if the file has not so many. */
    private int load(long place, int length) throws IOException {
        if (windowAt < 0 || place < windowAt || place + length > windowAt + window.limit()) {
            window.clear();
            file.read(window, place);
            window.flip();
            windowAt = place;
        }
        return place + length > windowAt + window.limit() ? -1 : (int) (place - windowAt);
    }
}
