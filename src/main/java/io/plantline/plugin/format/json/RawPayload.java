package io.plantline.plugin.format.json;

import com.fasterxml.jackson.core.SerializableString;
import io.plantline.model.MessageCursor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A payload of ASCII that is written to the byte as it came, without becoming a text first. Used for one message after the other. */
final class RawPayload implements SerializableString {
    private byte[] bytes = new byte[0];
    private int offset;
    private int length;

    /** Stands for the payload of a message until the next call. */
    RawPayload of(MessageCursor message) {
        bytes = message.array();
        offset = message.payloadOffset();
        length = message.payloadLength();
        return this;
    }

    @Override
    public String getValue() {
        return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
    }

    @Override
    public int charLength() {
        return length;
    }

    @Override
    public byte[] asUnquotedUTF8() {
        return Arrays.copyOfRange(bytes, offset, offset + length);
    }

    @Override
    public int appendUnquotedUTF8(byte[] buffer, int at) {
        if (length > buffer.length - at) {
            return -1;
        }
        System.arraycopy(bytes, offset, buffer, at, length);
        return length;
    }

    @Override
    public int writeUnquotedUTF8(OutputStream out) throws IOException {
        out.write(bytes, offset, length);
        return length;
    }

    @Override
    public int putUnquotedUTF8(ByteBuffer buffer) {
        if (length > buffer.remaining()) {
            return -1;
        }
        buffer.put(bytes, offset, length);
        return length;
    }

    @Override
    public int appendUnquoted(char[] buffer, int at) {
        throw notQuoted();
    }

    @Override
    public char[] asQuotedChars() {
        throw notQuoted();
    }

    @Override
    public byte[] asQuotedUTF8() {
        throw notQuoted();
    }

    @Override
    public int appendQuotedUTF8(byte[] buffer, int at) {
        throw notQuoted();
    }

    @Override
    public int appendQuoted(char[] buffer, int at) {
        throw notQuoted();
    }

    @Override
    public int writeQuotedUTF8(OutputStream out) {
        throw notQuoted();
    }

    @Override
    public int putQuotedUTF8(ByteBuffer out) {
        throw notQuoted();
    }

    private static UnsupportedOperationException notQuoted() {
        return new UnsupportedOperationException("it is written as it is, into bytes");
    }
}
