package io.plantline.plugin.format.csv;

import com.google.auto.service.AutoService;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Settings;
import java.io.OutputStream;

/** {@code "format": "csv"}. */
@AutoService(PayloadFormatFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class CsvFormatFactory implements PayloadFormatFactory<CsvFormatFactory.NoOptions> {
    /** There is nothing to configure. */
    record NoOptions() {}

    @Override
    public String type() {
        return "csv";
    }

    @Override
    public String schema() {
        return "{\"description\": \"RFC 4180.\", \"properties\": {}}";
    }

    @Override
    public NoOptions configure(Settings settings) {
        return new NoOptions();
    }

    @Override
    public PayloadFormat create(NoOptions config) {
        return new PayloadFormat() {
            @Override
            public String extension() {
                return "csv";
            }

            @Override
            public String contentType() {
                return "text/csv; charset=utf-8";
            }

            @Override
            public Encoder encoder(OutputStream out) throws java.io.IOException {
                return new CsvEncoder(out);
            }
        };
    }
}
