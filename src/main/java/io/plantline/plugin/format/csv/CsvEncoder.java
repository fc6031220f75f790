package io.plantline.plugin.format.csv;

import io.plantline.model.MessageCursor;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadText;
import io.plantline.spi.TimeText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** A line per message; a payload that is not UTF-8 text is in Base64, and the column {@code encoding} says so. */
final class CsvEncoder implements PayloadFormat.Encoder {
    private static final String HEADER = "message_id,topic,received_at,qos,retained,content_type,encoding,payload\r\n";

    private final OutputStream out;
    private final StringBuilder line = new StringBuilder();
    private final TimeText time = new TimeText();

    CsvEncoder(OutputStream out) throws IOException {
        this.out = out;
        out.write(HEADER.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void write(String messageId, MessageCursor message) throws IOException {
        line.setLength(0);
        String contentType = message.properties().contentType();
        String text = PayloadText.of(message);
        field(messageId);
        field(message.topic());
        field(time.of(message.receivedAtMicros()));
        field(Integer.toString(message.qos()));
        field(Boolean.toString(message.retained()));
        field(contentType == null ? "" : contentType);
        field(text == null ? "base64" : "utf-8");
        field(text == null ? Base64.getEncoder().encodeToString(message.payload()) : text);
        line.setLength(line.length() - 1);
        line.append("\r\n");
        out.write(line.toString().getBytes(StandardCharsets.UTF_8));
    }

    private void field(String value) {
        boolean quoted = value.isEmpty() || value.chars().anyMatch(c -> c == '"' || c == ',' || c == '\n' || c == '\r');
        if (quoted) {
            line.append('"').append(value.replace("\"", "\"\"")).append('"');
        } else {
            line.append(value);
        }
        line.append(',');
    }

    @Override
    public void close() {}
}
