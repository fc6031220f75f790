package io.plantline.plugin.processor.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.plantline.model.Failure;
import io.plantline.plugin.processor.remote.RemoteProcessor.Exchange;
import io.plantline.plugin.processor.remote.RemoteProcessor.Input;
import io.plantline.plugin.processor.remote.RemoteProcessor.Output;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The Open Inference Protocol v2 (the REST API of KServe, Triton and others): payloads are the elements of one BYTES
 * tensor named {@code payload}; of the first output tensor each row is a result. A row of one element becomes that
 * element, a longer one a JSON array; the text of a BYTES element is the payload itself.
 */
final class OpenInferenceExchange implements Exchange {
    @Override
    public Caller.Request request(List<Input> inputs, RemoteProcessorConfig config) {
        ObjectNode request = Json.MAPPER.createObjectNode();
        ObjectNode tensor = request.putArray("inputs").addObject();
        tensor.put("name", "payload");
        tensor.putArray("shape").add(inputs.size());
        tensor.put("datatype", "BYTES");
        ArrayNode data = tensor.putArray("data");
        for (Input input : inputs) {
            data.add(text(input.payload()));
        }
        return new Caller.Request(
                Json.bytes(request),
                "application/json",
                inputs.size() == 1 ? inputs.get(0).topic() : null);
    }

    /** A BYTES element in JSON is text: what is none cannot be asked about without being altered. */
    private static String text(byte[] payload) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Failure.reject("not-utf-8", "the Open Inference Protocol takes text only")
                    .asException();
        }
    }

    @Override
    public List<Output> outputs(Caller.Response response, int count) {
        JsonNode tensor = Json.response(response).path("outputs").path(0);
        JsonNode data = tensor.path("data");
        if (!data.isArray() || data.isEmpty() || data.size() % count != 0) {
            throw Failure.retry(RemoteProcessor.BAD_RESPONSE, "the first output has no " + count + " rows")
                    .asException();
        }
        int width = data.size() / count;
        List<Output> outputs = new ArrayList<>();
        for (int row = 0; row < count; row++) {
            outputs.add(output(data, row * width, width));
        }
        return outputs;
    }

    private static Output output(JsonNode data, int from, int width) {
        if (width > 1) {
            ArrayNode row = Json.MAPPER.createArrayNode();
            for (int i = 0; i < width; i++) {
                row.add(data.get(from + i));
            }
            return new Output(Json.bytes(row), "application/json");
        }
        JsonNode value = data.get(from);
        return value.isTextual()
                ? new Output(value.asText().getBytes(StandardCharsets.UTF_8), null)
                : new Output(Json.bytes(value), "application/json");
    }
}
