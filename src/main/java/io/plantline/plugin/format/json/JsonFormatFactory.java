package io.plantline.plugin.format.json;

import com.google.auto.service.AutoService;
import io.plantline.spi.PayloadFormat;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.Settings;
import java.io.OutputStream;

/** {@code "format": "json"}. */
@AutoService(PayloadFormatFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class JsonFormatFactory implements PayloadFormatFactory<JsonFormatFactory.NoOptions> {
    /** There is nothing to configure. */
    record NoOptions() {}

    @Override
    public String type() {
        return "json";
    }

    @Override
    public String schema() {
        return "{\"description\": \"Newline-delimited JSON.\", \"properties\": {}}";
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
                return "ndjson";
            }

            @Override
            public String contentType() {
                return "application/x-ndjson";
            }

            @Override
            public Encoder encoder(OutputStream out) throws java.io.IOException {
                return new JsonEncoder(out);
            }
        };
    }
}
