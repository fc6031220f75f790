package io.plantline.plugin.format.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.SerializedString;
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
    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .rootValueSeparator("\n")
            .build();

    private static final SerializedString MESSAGE_ID = new SerializedString("message_id");
    private static final SerializedString TOPIC = new SerializedString("topic");
    private static final SerializedString RECEIVED_AT = new SerializedString("received_at");
    private static final SerializedString QOS = new SerializedString("qos");
    private static final SerializedString RETAINED = new SerializedString("retained");
    private static final SerializedString CONTENT_TYPE = new SerializedString("content_type");
    private static final SerializedString USER_PROPERTIES = new SerializedString("user_properties");
    private static final SerializedString PAYLOAD_BASE64 = new SerializedString("payload_base64");
    private static final SerializedString PAYLOAD = new SerializedString("payload");
    private static final SerializedString PAYLOAD_TEXT = new SerializedString("payload_text");

    private final JsonGenerator json;
    private final TimeText time = new TimeText();
    private final RawPayload raw = new RawPayload();

    JsonEncoder(OutputStream out) throws IOException {
        json = FACTORY.createGenerator(out);
        json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    }

    @Override
    public void write(String messageId, MessageCursor message) throws IOException {
        json.writeStartObject();
        json.writeFieldName(MESSAGE_ID);
        json.writeString(messageId);
        json.writeFieldName(TOPIC);
        json.writeString(message.topic());
        json.writeFieldName(RECEIVED_AT);
        json.writeString(time.of(message.receivedAtMicros()));
        json.writeFieldName(QOS);
        json.writeNumber(message.qos());
        json.writeFieldName(RETAINED);
        json.writeBoolean(message.retained());
        properties(message.properties());
        payload(message);
        json.writeEndObject();
    }

    private void properties(MessageProperties properties) throws IOException {
        String contentType = properties.contentType();
        if (contentType != null) {
            json.writeFieldName(CONTENT_TYPE);
            json.writeString(contentType);
        }
        if (!properties.user().isEmpty()) {
            json.writeFieldName(USER_PROPERTIES);
            json.writeStartArray();
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
        if (PayloadText.isAscii(message) && isOneLineOfJson(message)) {
            json.writeFieldName(PAYLOAD);
            json.writeRawValue(raw.of(message));
            return;
        }
        String text = PayloadText.of(message);
        if (text == null) {
            json.writeFieldName(PAYLOAD_BASE64);
            json.writeBinary(message.array(), message.payloadOffset(), message.payloadLength());
        } else if (isOneLineOfJson(message)) {
            json.writeFieldName(PAYLOAD);
            json.writeRawValue(text);
        } else {
            json.writeFieldName(PAYLOAD_TEXT);
            json.writeString(text);
        }
    }

    private static boolean isOneLineOfJson(MessageCursor message) {
        return JsonText.isOneLine(message.array(), message.payloadOffset(), message.payloadLength());
    }

    @Override
    public void close() throws IOException {
        json.writeRaw('\n');
        json.close();
    }
}
