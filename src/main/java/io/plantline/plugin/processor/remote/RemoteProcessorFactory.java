package io.plantline.plugin.processor.remote;

import com.google.auto.service.AutoService;
import io.plantline.spi.Endpoint;
import io.plantline.spi.Processor;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.Settings;
import io.plantline.spi.TargetContext;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** {@code "type": "remote"}. */
@AutoService(ProcessorFactory.class)
@SuppressWarnings("rawtypes") // A service is named without type arguments.
public final class RemoteProcessorFactory implements ProcessorFactory<RemoteProcessorConfig> {
    @Override
    public String type() {
        return "remote";
    }

    @Override
    public String schema() {
        return """
                {"description": "Inference, or any other step, served over HTTP.",
                 "required": ["base-url", "processor-id"], "properties": {
                  "base-url": {"type": "string", "minLength": 1, "description": "http://host[:port][/path] of the service"},
                  "processor-id": {"type": "string", "minLength": 1, "maxLength": 200, "description": "Identifier of the model that runs."},
                  "path": {"type": "string", "pattern": "^/([A-Za-z0-9._~/%:@!$&'()*+,;=-]|[{]processor-id[}])*$", "description": "a path that starts with /; {processor-id} is replaced. Default: /{processor-id}, with open-inference-v2 /v2/models/{processor-id}/infer"},
                  "protocol": {"enum": ["plain", "open-inference-v2"], "default": "plain"},
                  "batch-size": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1, "description": "Messages in a request: more than one are posted as a JSON array and answered by one."},
                  "content-type": {"type": "string", "minLength": 1, "default": "application/json", "description": "Of a payload whose publisher named none."},
                  "timeout": {"$ref": "#/$defs/duration", "default": "10s", "description": "Of one call with its answer."},
                  "max-concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 8, "description": "Calls at once, per processor verticle."},
                  "max-response-size": {"$ref": "#/$defs/size", "default": "4MiB"},
                  "credential": {"$ref": "#/$defs/credential"},
                  "tls": {"$ref": "#/$defs/tls"},
                  "proxy": {"$ref": "#/$defs/proxy", "description": "Default: HTTPS_PROXY or HTTP_PROXY, and NO_PROXY."}}}""";
    }

    @Override
    public RemoteProcessorConfig configure(Settings settings) {
        URI base = settings.uri("base-url");
        boolean http = "http".equals(base.getScheme()) || "https".equals(base.getScheme());
        if (!http && !"invalid".equals(base.getScheme())) {
            settings.error("base-url", "the scheme " + base.getScheme() + " is not HTTP", "http:// or https://");
        }
        String id = settings.string("processor-id");
        boolean openInference = settings.string("protocol", "plain").equals("open-inference-v2");
        String path = settings.string("path", openInference ? "/v2/models/{processor-id}/infer" : "/{processor-id}")
                .replace(
                        "{processor-id}",
                        URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20"));
        String prefix = base.toString();
        String trimmed = prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
        return new RemoteProcessorConfig(
                http ? URI.create(trimmed + path) : base,
                id,
                settings.integer("batch-size", 1),
                openInference,
                settings.string("content-type", "application/json"),
                settings.duration("timeout", Duration.ofSeconds(10)),
                settings.integer("max-concurrency", 8),
                (int) Math.min(1 << 30, settings.size("max-response-size", 4 << 20)),
                settings.credential("credential"),
                settings.tls("tls"),
                settings.proxy("proxy"));
    }

    @Override
    public List<Endpoint> endpoints(RemoteProcessorConfig config) {
        return List.of(Endpoint.of(config.uri()));
    }

    @Override
    public Processor create(RemoteProcessorConfig config, TargetContext context) {
        return new RemoteProcessor(config, context);
    }
}
