package io.plantline.spi;

import io.plantline.model.MessageCursor;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Payloads as text, where they are text. */
public final class PayloadText {
    private PayloadText() {}

    /** The payload, or null if its bytes are not UTF-8: then a text would not be what came. */
    public static @Nullable String of(MessageCursor message) {
        if (isAscii(message)) {
            return new String(
                    message.array(), message.payloadOffset(), message.payloadLength(), StandardCharsets.ISO_8859_1);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(message.array(), message.payloadOffset(), message.payloadLength()))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Whether the payload's bytes are ASCII, and so UTF-8, all of them. */
    public static boolean isAscii(MessageCursor message) {
        byte[] bytes = message.array();
        int end = message.payloadOffset() + message.payloadLength();
        byte all = 0;
        for (int i = message.payloadOffset(); i < end; i++) {
            all |= bytes[i];
        }
        return all >= 0;
    }
}
