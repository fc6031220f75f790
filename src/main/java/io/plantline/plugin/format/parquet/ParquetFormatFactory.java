package io.plantline.plugin.format.parquet;

import com.google.auto.service.AutoService;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Settings;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** {@code "format": "parquet"}. */
@AutoService(PayloadFormatFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class ParquetFormatFactory implements PayloadFormatFactory<CompressionCodecName> {
    @Override
    public String type() {
        return "parquet";
    }

    @Override
    public String schema() {
        return """
                {"description": "Apache Parquet with fixed columns.", "properties": {
                  "compression": {"enum": ["zstd", "snappy", "uncompressed"], "default": "zstd"}}}""";
    }

    @Override
    public CompressionCodecName configure(Settings settings) {
        return CompressionCodecName.valueOf(
                settings.string("compression", "zstd").toUpperCase(Locale.ROOT));
    }

    @Override
    public PayloadFormat create(CompressionCodecName codec) {
        return new PayloadFormat() {
            @Override
            public String extension() {
                return "parquet";
            }

            @Override
            public String contentType() {
                return "application/vnd.apache.parquet";
            }

            @Override
            public long bufferBytes() {
                return ParquetEncoder.ROW_GROUP_BYTES;
            }

            @Override
            public Encoder encoder(OutputStream out) throws IOException {
                return new ParquetEncoder(out, codec);
            }
        };
    }
}
