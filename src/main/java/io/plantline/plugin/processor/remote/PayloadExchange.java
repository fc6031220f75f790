package io.plantline.plugin.processor.remote;

import io.plantline.plugin.processor.remote.RemoteProcessor.Exchange;
import io.plantline.plugin.processor.remote.RemoteProcessor.Input;
import io.plantline.plugin.processor.remote.RemoteProcessor.Output;
import java.util.List;

/** The payload goes as it is, the body comes as the new payload; 204 filters. */
final class PayloadExchange implements Exchange {
    @Override
    public Caller.Request request(List<Input> inputs, RemoteProcessorConfig config) {
        Input input = inputs.get(0);
        String contentType = input.contentType() == null ? config.contentType() : input.contentType();
        return new Caller.Request(input.payload(), contentType, input.topic());
    }

    @Override
    public List<Output> outputs(Caller.Response response, int count) {
        return List.of(
                response.status() == 204
                        ? new Output(null, null)
                        : new Output(response.body(), response.contentType()));
    }
}
