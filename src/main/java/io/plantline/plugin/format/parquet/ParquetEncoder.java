package io.plantline.plugin.format.parquet;

import io.plantline.model.MessageCursor;
import io.plantline.spi.PayloadFormat;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;

/** One Parquet file. Hadoop's names appear in Parquet's signatures only; none of its classes is loaded. */
final class ParquetEncoder implements PayloadFormat.Encoder {
    /** What waits in memory until its row group is written. */
    static final long ROW_GROUP_BYTES = 32L << 20;

    private final ParquetWriter<ParquetRow> writer;

    ParquetEncoder(OutputStream out, CompressionCodecName codec) throws IOException {
        writer = new Builder(new StreamOutputFile(out))
                .withCompressionCodec(codec)
                .build();
    }

    @Override
    public void write(String messageId, MessageCursor message) throws IOException {
        writer.write(new ParquetRow(messageId, message));
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }

    private static final class Builder extends ParquetWriter.Builder<ParquetRow, Builder> {
        Builder(OutputFile file) {
            super(file);
            // Without these two, Parquet asks Hadoop for a configuration and for codecs.
            withConf(new PlainParquetConfiguration());
            withCodecFactory(new Codecs());
            withPageWriteChecksumEnabled(true);
            withDictionaryEncoding(true);
            withDictionaryEncoding("payload", false);
            withDictionaryEncoding("message_id", false);
            withStatisticsEnabled("payload", false);
            withSizeStatisticsEnabled("payload", false);
            withStatisticsTruncateLength(64);
            withRowGroupSize(ROW_GROUP_BYTES);
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        @SuppressWarnings("deprecation") // Abstract in Parquet; called only where there is Hadoop.
        protected WriteSupport<ParquetRow> getWriteSupport(Configuration configuration) {
            return new RowWriteSupport();
        }

        @Override
        protected WriteSupport<ParquetRow> getWriteSupport(ParquetConfiguration configuration) {
            return new RowWriteSupport();
        }
    }
}
