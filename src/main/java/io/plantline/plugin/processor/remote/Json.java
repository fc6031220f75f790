package io.plantline.plugin.processor.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.plantline.model.Failure;
import io.plantline.plugin.processor.remote.RemoteProcessor.Input;
import java.io.IOException;

/** JSON as this package needs it: nothing is rounded, nothing is ignored, and no error quotes a payload. */
final class Json {
    static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private Json() {}

    static JsonNode payload(Input input) {
        try {
            JsonNode node = MAPPER.readTree(input.payload());
            if (!node.isMissingNode()) {
                return node;
            }
        } catch (IOException e) {
            // Reported below; the parser's message would quote the payload.
        }
        throw Failure.reject("not-json", "the payload is not JSON").asException();
    }

    static JsonNode response(Caller.Response response) {
        try {
            return MAPPER.readTree(response.body());
        } catch (IOException e) {
            throw Failure.retry(RemoteProcessor.BAD_RESPONSE, "the answer is not JSON")
                    .asException();
        }
    }

    static byte[] bytes(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
