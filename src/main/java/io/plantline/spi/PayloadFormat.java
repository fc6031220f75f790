package io.plantline.spi;

import io.plantline.model.MessageCursor;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;

/** How messages become the bytes of an object or a file. Encoders run on worker threads. */
public interface PayloadFormat {

    /** Ending of an object's name, without the dot. */
    String extension();

    /** MIME type of an object. */
    String contentType();

    /** Bytes of an object that its encoder keeps in memory before it writes them, at most. */
    default long bufferBytes() {
        return 0;
    }

    /** An encoder for one object, writing to {@code out}, which it does not close. */
    Encoder encoder(OutputStream out) throws IOException;

    /** Encodes one object; {@link #close} finishes it. */
    interface Encoder extends Closeable {
        void write(String messageId, MessageCursor message) throws IOException;
    }
}
