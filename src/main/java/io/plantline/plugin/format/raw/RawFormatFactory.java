package io.plantline.plugin.format.raw;

import com.google.auto.service.AutoService;
import io.plantline.model.MessageCursor;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Settings;
import java.io.IOException;
import java.io.OutputStream;

/** {@code "format": "raw"}: payloads as they came; in a batch, one after another with a line end between. */
@AutoService(PayloadFormatFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class RawFormatFactory implements PayloadFormatFactory<String> {
    @Override
    public String type() {
        return "raw";
    }

    @Override
    public String schema() {
        return """
                {"description": "The payloads as they came.", "properties": {
                  "extension": {"type": "string", "pattern": "^[a-z0-9]{1,10}$", "default": "bin", "description": "ending of names: up to ten letters and digits"}}}""";
    }

    @Override
    public String configure(Settings settings) {
        return settings.string("extension", "bin");
    }

    @Override
    public PayloadFormat create(String extension) {
        return new Raw(extension);
    }

    private record Raw(String extension) implements PayloadFormat {
        @Override
        public String contentType() {
            return "application/octet-stream";
        }

        @Override
        public Encoder encoder(OutputStream out) {
            return new Encoder() {
                private boolean first = true;

                @Override
                public void write(String messageId, MessageCursor message) throws IOException {
                    if (!first) {
                        out.write('\n');
                    }
                    first = false;
                    out.write(message.array(), message.payloadOffset(), message.payloadLength());
                }

                @Override
                public void close() {}
            };
        }
    }
}
