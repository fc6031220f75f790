package io.plantline.plugin.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.plantline.model.MessageBatch;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.plugin.format.csv.CsvFormatFactory;
import io.plantline.plugin.format.json.JsonFormatFactory;
import io.plantline.plugin.format.parquet.ParquetFormatFactory;
import io.plantline.plugin.format.raw.RawFormatFactory;
import io.plantline.spi.PayloadFormat;
import io.plantline.testkit.ParquetRows;
import io.plantline.testkit.TestContext;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Any byte sequence survives every format. */
class PayloadFormatTest {
    private static final List<byte[]> PAYLOADS = payloads();

    private static List<byte[]> payloads() {
        List<byte[]> payloads = new ArrayList<>();
        for (String text : new String[] {
            "",
            " ",
            "{}",
            "{\"a\":1.0}",
            "{\"a\":1e400,\"a\":2}",
            "[1,2,3]",
            "42",
            "\"text\"",
            "null",
            "{\"a\":\n1}",
            "plain text",
            "comma, \"quote\"\r\nline",
            "{\"a\":1} trailing",
            "ünïcode \u0000 \u2028",
            "{broken",
            "-0",
            "1e1000000000",
            "NaN",
            "[".repeat(5000)
        }) {
            payloads.add(text.getBytes(StandardCharsets.UTF_8));
        }
        Random random = new Random(5);
        for (int i = 0; i < 50; i++) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            payloads.add(bytes);
        }
        return payloads;
    }

    private static byte[] encode(PayloadFormat format) throws Exception {
        MessageBatch.Builder builder = new MessageBatch.Builder(100);
        MessageProperties properties = new MessageProperties("text/x", null, List.of())
                .with("k", "v")
                .with("k", "w")
                .with("é", "");
        for (int i = 0; i < PAYLOADS.size(); i++) {
            TestContext.add(
                    builder, "plant/" + i % 3, PAYLOADS.get(i), i % 2 == 0 ? properties : MessageProperties.NONE);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (PayloadFormat.Encoder encoder = format.encoder(out)) {
            MessageCursor message = builder.build().numberedFrom(1).cursor();
            while (message.next()) {
                encoder.write("id-" + message.sequence(), message);
            }
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @EnumSource(names = {"ZSTD", "SNAPPY", "UNCOMPRESSED"})
    void parquetReadsBackInDuckDb(CompressionCodecName codec) throws Exception {
        List<ParquetRows.Row> rows = ParquetRows.read(encode(new ParquetFormatFactory().create(codec)));
        assertThat(rows).hasSize(PAYLOADS.size());
        for (int i = 0; i < rows.size(); i++) {
            ParquetRows.Row row = rows.get(i);
            assertThat(row.payload()).isEqualTo(PAYLOADS.get(i));
            assertThat(row.messageId()).isEqualTo("id-" + (i + 1));
            assertThat(row.topic()).isEqualTo("plant/" + i % 3);
            assertThat(row.qos()).isEqualTo(1);
            assertThat(row.receivedAt().toInstant()).isEqualTo("2026-11-24T07:00:00.123456Z");
            assertThat(row.contentType()).isEqualTo(i % 2 == 0 ? "text/x" : null);
            assertThat(row.userProperties()).isEqualTo(i % 2 == 0 ? Map.of("k", "v\nw", "é", "") : Map.of());
        }
    }

    @Test
    void jsonIsALineEachAndTheBytesComeBack() throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        String text = new String(
                encode(new JsonFormatFactory().create(new JsonFormatFactory().configure(null))),
                StandardCharsets.UTF_8);
        String[] lines = text.split("\n", -1);
        assertThat(lines).hasSize(PAYLOADS.size() + 1);
        for (int i = 0; i < PAYLOADS.size(); i++) {
            String expected = new String(PAYLOADS.get(i), StandardCharsets.UTF_8);
            if (lines[i].contains("\"payload\":")) {
                String embedded = lines[i].substring(lines[i].indexOf("\"payload\":") + 10, lines[i].length() - 1);
                assertThat(embedded).isEqualTo(expected);
                continue;
            }
            JsonNode line = mapper.readTree(lines[i]);
            byte[] payload = line.has("payload_text")
                    ? line.get("payload_text").asText().getBytes(StandardCharsets.UTF_8)
                    : Base64.getDecoder().decode(line.get("payload_base64").asText());
            assertThat(payload).isEqualTo(PAYLOADS.get(i));
        }
        assertThat(lines[3])
                .contains("\"payload\":{\"a\":1.0}")
                .contains("\"received_at\":\"2026-11-24T07:00:00.123456Z\"");
    }

    @Test
    void csvReadsBackAsRfc4180() throws Exception {
        String text = new String(
                encode(new CsvFormatFactory().create(new CsvFormatFactory().configure(null))), StandardCharsets.UTF_8);
        List<List<String>> records = parseCsv(text);
        assertThat(records.get(0)).startsWith("message_id", "topic").endsWith("encoding", "payload");
        assertThat(records).hasSize(PAYLOADS.size() + 1);
        for (int i = 0; i < PAYLOADS.size(); i++) {
            List<String> record = records.get(i + 1);
            byte[] payload = record.get(6).equals("utf-8")
                    ? record.get(7).getBytes(StandardCharsets.UTF_8)
                    : Base64.getDecoder().decode(record.get(7));
            assertThat(payload).isEqualTo(PAYLOADS.get(i));
        }
    }

    @Test
    void rawIsThePayload() throws Exception {
        PayloadFormat raw = new RawFormatFactory().create("bin");
        for (byte[] payload : PAYLOADS) {
            MessageBatch.Builder builder = new MessageBatch.Builder(10);
            TestContext.add(builder, "t", payload, MessageProperties.NONE);
            MessageCursor message = builder.build().cursor();
            message.next();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (PayloadFormat.Encoder encoder = raw.encoder(out)) {
                encoder.write("id", message);
            }
            assertThat(out.toByteArray()).isEqualTo(payload);
        }
    }

    private static List<List<String>> parseCsv(String text) {
        List<List<String>> records = new ArrayList<>();
        List<String> record = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quoted) {
                if (c == '"' && i + 1 < text.length() && text.charAt(i + 1) == '"') {
                    field.append('"');
                    i++;
                } else if (c == '"') {
                    quoted = false;
                } else {
                    field.append(c);
                }
            } else if (c == '"') {
                quoted = true;
            } else if (c == ',' || c == '\r') {
                record.add(field.toString());
                field.setLength(0);
                if (c == '\r') {
                    records.add(record);
                    record = new ArrayList<>();
                    i++;
                }
            } else {
                field.append(c);
            }
        }
        return records;
    }
}
