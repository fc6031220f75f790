package io.plantline.plugin.format.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadText;
import io.plantline.spi.TimeText;
import java.io.IOException;
import java.io.OutputStream;

/**
 * An object per line. The payload is {@code payload} where it is one JSON value on one line, to the byte as it came;
 * else {@code payload_text} where it is UTF-8, else {@code payload_base64}.
 */
final class JsonEncoder implements PayloadFormat.Encoder {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxNumberLength(1000)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .build();

    private final JsonGenerator json;
    private final TimeText time = new TimeText();

    JsonEncoder(OutputStream out) throws IOException {
        json = FACTORY.createGenerator(out);
        json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
        json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    }

    @Override
    public void write(String messageId, MessageCursor message) throws IOException {
        json.writeStartObject();
        json.writeStringField("message_id", messageId);
        json.writeStringField("topic", message.topic());
        json.writeStringField("received_at", time.of(message.receivedAtMicros()));
        json.writeNumberField("qos", message.qos());
        json.writeBooleanField("retained", message.retained());
        properties(message.properties());
        payload(message);
        json.writeEndObject();
    }

    private void properties(MessageProperties properties) throws IOException {
        String contentType = properties.contentType();
        if (contentType != null) {
            json.writeStringField("content_type", contentType);
        }
        if (!properties.user().isEmpty()) {
            json.writeArrayFieldStart("user_properties");
            for (MessageProperties.Pair pair : properties.user()) {
                json.writeStartArray();
                json.writeString(pair.name());
                json.writeString(pair.value());
                json.writeEndArray();
            }
            json.writeEndArray();
        }
    }

    private void payload(MessageCursor message) throws IOException {
        String text = PayloadText.of(message);
        if (text == null) {
            json.writeFieldName("payload_base64");
            json.writeBinary(message.array(), message.payloadOffset(), message.payloadLength());
        } else if (isOneLineOfJson(message)) {
            json.writeFieldName("payload");
            json.writeRawValue(text);
        } else {
            json.writeStringField("payload_text", text);
        }
    }

    private static boolean isOneLineOfJson(MessageCursor message) {
        byte[] bytes = message.array();
        int end = message.payloadOffset() + message.payloadLength();
        for (int i = message.payloadOffset(); i < end; i++) {
            if (bytes[i] == '\n' || bytes[i] == '\r') {
                return false;
            }
        }
        try (JsonParser parser = FACTORY.createParser(bytes, message.payloadOffset(), message.payloadLength())) {
            if (parser.nextToken() == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        json.writeRaw('\n');
        json.close();
    }
}
