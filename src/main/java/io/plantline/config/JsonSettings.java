package io.plantline.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.plantline.model.Problem;
import io.plantline.spi.Proxy;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.SecretReference;
import io.plantline.spi.Settings;
import io.plantline.spi.TlsSettings;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Settings read from a JSON object that fits its schema. */
final class JsonSettings implements Settings {
    private final JsonNode node;
    private final String pointer;
    private final Plugins plugins;
    private final List<Problem> problems;
    private final Set<String> files;
    private final Set<SecretReference> credentials;

    JsonSettings(JsonNode node, String pointer, Plugins plugins, List<Problem> problems) {
        this(node, pointer, plugins, problems, new HashSet<>(), new HashSet<>());
    }

    private JsonSettings(
            JsonNode node,
            String pointer,
            Plugins plugins,
            List<Problem> problems,
            Set<String> files,
            Set<SecretReference> credentials) {
        this.node = node;
        this.pointer = pointer;
        this.plugins = plugins;
        this.problems = problems;
        this.files = files;
        this.credentials = credentials;
    }

    /** The files and credentials that were asked for until now, in this section and in those within it. */
    Material material() {
        return new Material(files, credentials);
    }

    String pointer() {
        return pointer;
    }

    @Override
    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    @Override
    public String string(String key) {
        return node.path(key).asText();
    }

    @Override
    public Optional<String> optionalString(String key) {
        return has(key) ? Optional.of(node.get(key).asText()) : Optional.empty();
    }

    @Override
    public int integer(String key, int otherwise) {
        return has(key) ? node.get(key).asInt() : otherwise;
    }

    @Override
    public double number(String key, double otherwise) {
        return has(key) ? node.get(key).asDouble() : otherwise;
    }

    @Override
    public boolean flag(String key, boolean otherwise) {
        return has(key) ? node.get(key).asBoolean() : otherwise;
    }

    @Override
    public Duration duration(String key, Duration otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        String text = node.get(key).asText();
        int unit = text.endsWith("ms") ? text.length() - 2 : text.length() - 1;
        long amount = Long.parseLong(text.substring(0, unit));
        return switch (text.substring(unit)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    @Override
    public long size(String key, long otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        JsonNode value = node.get(key);
        if (value.isNumber()) {
            return value.asLong();
        }
        String text = value.asText();
        int unit = 0;
        while (Character.isDigit(text.charAt(unit))) {
            unit++;
        }
        long amount = Long.parseLong(text.substring(0, unit));
        long factor = switch (text.substring(unit)) {
            case "B" -> 1;
            case "kB", "KB" -> 1_000;
            case "MB" -> 1_000_000;
            case "GB" -> 1_000_000_000;
            case "KiB" -> 1 << 10;
            case "MiB" -> 1 << 20;
            default -> 1 << 30;
        };
        return amount * factor;
    }

    @Override
    public URI uri(String key) {
        String text = string(key);
        try {
            URI uri = URI.create(text);
            if (uri.getScheme() != null && uri.getHost() != null) {
                if (uri.getUserInfo() != null) {
                    error(key, "a URI in the configuration carries no user or password", "use a credential");
                }
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Reported below, in the user's words.
        }
        String shown = text.indexOf('@') >= 0 ? "the value" : "\"" + text + "\"";
        error(key, shown + " is not an absolute URI", "write scheme://host[:port][/path]");
        return URI.create("invalid://invalid");
    }

    @Override
    public Optional<URI> optionalUri(String key) {
        return has(key) ? Optional.of(uri(key)) : Optional.empty();
    }

    @Override
    public List<String> strings(String key) {
        List<String> strings = new ArrayList<>();
        node.path(key).forEach(item -> strings.add(item.asText()));
        return strings;
    }

    @Override
    public Optional<Settings> section(String key) {
        return has(key)
                ? Optional.of(new JsonSettings(node.get(key), place(key), plugins, problems, files, credentials))
                : Optional.empty();
    }

    @Override
    public Optional<SecretReference> credential(String key) {
        return section(key).flatMap(section -> {
            SecretProviderFactory<?> factory =
                    provider(section.optionalString("type").orElse(null));
            if (factory == null) {
                return Optional.empty();
            }
            SecretReference reference = new SecretReference(factory.type(), factory.configure(section));
            credentials.add(reference);
            return Optional.of(reference);
        });
    }

    private @Nullable SecretProviderFactory<?> provider(@Nullable String type) {
        if (type != null) {
            return plugins.secrets().get(type);
        }
        return plugins.secrets().values().stream()
                .filter(SecretProviderFactory::takesUntyped)
                .findFirst()
                .orElse(null);
    }

    @Override
    public Optional<String> file(String key) {
        Optional<String> name = optionalString(key);
        name.ifPresent(files::add);
        name.filter(path -> !isReadable(path))
                .ifPresent(path -> error(key, "the file \"" + path + "\" cannot be read", "name a PEM file"));
        return name;
    }

    private static boolean isReadable(String path) {
        try {
            return Files.isReadable(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    @Override
    public Optional<TlsSettings> tls(String key) {
        return section(key)
                .filter(section -> section.flag("enabled", true))
                .map(section -> new TlsSettings(
                        section.file("ca").orElse(null),
                        section.file("certificate").orElse(null),
                        section.file("key").orElse(null)));
    }

    @Override
    public Optional<Proxy> proxy(String key) {
        return optionalString(key).flatMap(text -> {
            Optional<Proxy> proxy = Proxy.parse(text);
            if (proxy.isEmpty()) {
                error(key, "the value is no address of a proxy", "write http://host:port or socks5://host:port");
            } else if (proxy.get().user() != null) {
                error(key, "a URI in the configuration carries no user or password", "set HTTPS_PROXY instead");
            }
            return proxy;
        });
    }

    @Override
    public void error(String key, String message, String hint) {
        problems.add(Problem.error(place(key), message, hint));
    }

    @Override
    public void warn(String key, String message, String hint) {
        problems.add(Problem.warning(place(key), message, hint));
    }

    private String place(String key) {
        return key.isEmpty() ? pointer : pointer + "/" + JsonDocument.escape(key);
    }
}
