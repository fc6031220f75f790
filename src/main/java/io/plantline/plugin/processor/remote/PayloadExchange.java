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
        String named = input.contentType();
        String contentType = named != null && isHeaderValue(named) ? named : config.contentType();
        return new Caller.Request(input.payload(), contentType, input.topic());
    }

    /** A publisher names a type in any characters (MQTT 5.0, 3.3.2.3.9); a header has those of RFC 9110, 5.5. */
    private static boolean isHeaderValue(String text) {
        return !text.isBlank() && text.chars().allMatch(each -> each >= 0x20 && each < 0x7F);
    }

    @Override
    public List<Output> outputs(Caller.Response response, int count) {
        return List.of(
                response.status() == 204
                        ? new Output(null, null)
                        : new Output(response.body(), response.contentType()));
    }
}
