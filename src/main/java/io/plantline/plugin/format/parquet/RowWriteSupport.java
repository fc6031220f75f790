package io.plantline.plugin.format.parquet;

import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;
import org.jspecify.annotations.Nullable;

/** The columns, and how a message fills them. */
final class RowWriteSupport extends WriteSupport<ParquetRow> {
    private static final MessageType SCHEMA = Types.buildMessage()
            .required(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("message_id")
            .required(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("topic")
            .required(PrimitiveTypeName.BINARY)
            .named("payload")
            .optional(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("content_type")
            .required(PrimitiveTypeName.INT32)
            .named("qos")
            .required(PrimitiveTypeName.BOOLEAN)
            .named("retained")
            .requiredMap()
            .key(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .requiredValue(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("user_properties")
            .required(PrimitiveTypeName.INT64)
            .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS))
            .named("received_at")
            .named("message");

    private @Nullable RecordConsumer consumer;

    @Override
    @SuppressWarnings("deprecation") // Abstract in Parquet; called only where there is Hadoop.
    public WriteContext init(Configuration configuration) {
        return new WriteContext(SCHEMA, Map.of());
    }

    @Override
    public WriteContext init(ParquetConfiguration configuration) {
        return new WriteContext(SCHEMA, Map.of("plantline.schema", "1"));
    }

    @Override
    public String getName() {
        return "plantline";
    }

    @Override
    public void prepareForWrite(RecordConsumer recordConsumer) {
        consumer = recordConsumer;
    }

    @Override
    public void write(ParquetRow row) {
        RecordConsumer to = java.util.Objects.requireNonNull(consumer);
        MessageCursor message = row.message();
        MessageProperties properties = message.properties();
        to.startMessage();
        string(to, "message_id", 0, row.messageId());
        string(to, "topic", 1, message.topic());
        to.startField("payload", 2);
        to.addBinary(Binary.fromConstantByteArray(message.array(), message.payloadOffset(), message.payloadLength()));
        to.endField("payload", 2);
        String contentType = properties.contentType();
        if (contentType != null) {
            string(to, "content_type", 3, contentType);
        }
        to.startField("qos", 4);
        to.addInteger(message.qos());
        to.endField("qos", 4);
        to.startField("retained", 5);
        to.addBoolean(message.retained());
        to.endField("retained", 5);
        map(to, properties);
        to.startField("received_at", 7);
        to.addLong(message.receivedAtMicros());
        to.endField("received_at", 7);
        to.endMessage();
    }

    /** A map has each key once, an MQTT property list may not: values of one name are joined by a line end. */
    private static void map(RecordConsumer to, MessageProperties properties) {
        Map<String, String> merged = new LinkedHashMap<>();
        for (MessageProperties.Pair pair : properties.user()) {
            merged.merge(pair.name(), pair.value(), (a, b) -> a + "\n" + b);
        }
        to.startField("user_properties", 6);
        to.startGroup();
        if (!merged.isEmpty()) {
            to.startField("key_value", 0);
            merged.forEach((name, value) -> {
                to.startGroup();
                string(to, "key", 0, name);
                string(to, "value", 1, value);
                to.endGroup();
            });
            to.endField("key_value", 0);
        }
        to.endGroup();
        to.endField("user_properties", 6);
    }

    private static void string(RecordConsumer to, String field, int index, String value) {
        to.startField(field, index);
        to.addBinary(Binary.fromString(value));
        to.endField(field, index);
    }
}
