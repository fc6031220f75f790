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
}
