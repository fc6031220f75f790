package io.plantline.plugin.processor.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.plantline.model.Failure;
import io.plantline.plugin.processor.remote.RemoteProcessor.Exchange;
import io.plantline.plugin.processor.remote.RemoteProcessor.Input;
import io.plantline.plugin.processor.remote.RemoteProcessor.Output;
import java.util.ArrayList;
import java.util.List;

/** JSON payloads go as an array, one result per item comes back in order; {@code null} filters. */
final class ArrayExchange implements Exchange {
    @Override
    public Caller.Request request(List<Input> inputs, RemoteProcessorConfig config) {
        ArrayNode array = Json.MAPPER.createArrayNode();
        for (Input input : inputs) {
            array.add(Json.payload(input));
        }
        return new Caller.Request(
                Json.bytes(array),
                "application/json",
                inputs.size() == 1 ? inputs.get(0).topic() : null);
    }

    @Override
    public List<Output> outputs(Caller.Response response, int count) {
        if (response.status() == 204) {
            return java.util.Collections.nCopies(count, new Output(null, null));
        }
        JsonNode results = Json.response(response);
        if (!results.isArray() || results.size() != count) {
            throw Failure.retry(RemoteProcessor.BAD_RESPONSE, "expected an array of " + count + " results")
                    .asException();
        }
        List<Output> outputs = new ArrayList<>();
        for (JsonNode result : results) {
            outputs.add(result.isNull() ? new Output(null, null) : new Output(Json.bytes(result), "application/json"));
        }
        return outputs;
    }
}
