package io.plantline.runtime;

import io.plantline.config.Material;
import io.plantline.spi.SecretReference;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has whoever uses certificates, keys and credentials take up those of now when they are other ones while the document is the
 * same. Who cannot goes on with those it has, and tries again later. Used on the context of the house.
 */
final class Rotation {
    private static final Logger LOG = LoggerFactory.getLogger(Rotation.class);
    private static final Duration AGAIN = Duration.ofSeconds(60);

    private final Vertx vertx;
    private final Secrets secrets;

    /** What was in the files when they were taken up last. */
    private final Map<Material, String> taken = new HashMap<>();

    /** When certificates that are in use expire, by file. */
    private volatile Map<String, Long> expiries = Map.of();

    private final Map<Material, Long> failedAtNanos = new HashMap<>();
    private final Map<Material, String> failedWith = new HashMap<>();
    private final Set<SecretReference> changed = new HashSet<>();

    /**
     * Who uses material.
     *
     * @param renew opens with the material of now before what is open is given up; fails if that cannot be done, and then
     *     nothing has changed
     */
    record User(String name, Material material, Supplier<Future<Void>> renew) {}

    Rotation(Vertx vertx, Secrets secrets) {
        this.vertx = vertx;
        this.secrets = secrets;
    }

    /** Remembers what is in the files of {@code some}, before somebody opens with it: what is different then has changed. */
    Future<Void> know(Collection<Material> some) {
        return see(some).map(now -> {
            now.contents().forEach(taken::putIfAbsent);
            Map<String, Long> both = new TreeMap<>(expiries);
            both.putAll(now.expiries());
            expiries = both;
            return null;
        });
    }

    /** A credential is another one than it was. */
    void changed(SecretReference reference) {
        changed.add(reference);
    }

    /** Renews who uses what has changed. */
    Future<Void> look(List<User> users) {
        Set<Material> used = new HashSet<>();
        users.forEach(user -> used.add(user.material()));
        taken.keySet().retainAll(used);
        failedAtNanos.keySet().retainAll(used);
        failedWith.keySet().retainAll(used);
        changed.removeIf(reference ->
                used.stream().noneMatch(material -> material.credentials().contains(reference)));
        return see(used).compose(now -> {
            expiries = now.expiries();
            List<Future<Void>> renewed = new ArrayList<>();
            Set<SecretReference> wanted = Set.copyOf(changed);
            now.contents().forEach((material, contents) -> {
                boolean files = !contents.equals(taken.getOrDefault(material, contents));
                boolean credentials = material.credentials().stream().anyMatch(wanted::contains);
                taken.putIfAbsent(material, contents);
                if ((files || credentials) && isDue(material, contents)) {
                    renewed.add(renew(users, material, contents, files));
                }
            });
            return Future.join(renewed).<Void>map(v -> {
                changed.removeAll(wanted);
                return null;
            });
        });
    }

    /** What failed is tried again after a while, or when it has become something else. */
    private boolean isDue(Material material, String contents) {
        Long failedAt = failedAtNanos.get(material);
        return failedAt == null
                || !contents.equals(failedWith.get(material))
                || System.nanoTime() - failedAt >= AGAIN.toNanos();
    }

    private Future<Void> renew(List<User> users, Material material, String contents, boolean files) {
        if (files) {
            secrets.reopen(material.credentials());
        }
        List<Future<Void>> renewed = new ArrayList<>();
        for (User user : users) {
            if (user.material().equals(material)) {
                renewed.add(Future.succeededFuture()
                        .compose(v -> user.renew().get())
                        .onSuccess(
                                v -> LOG.info("ROTATED: {} uses the certificates and credentials of now", user.name()))
                        .onFailure(e -> LOG.error(
                                "ROTATION-FAILED: {} cannot use the certificates or credentials of now, and goes on with"
                                        + " those it has; next attempt in {} s: {}",
                                user.name(),
                                AGAIN.toSeconds(),
                                e.getMessage())));
            }
        }
        return Future.join(renewed).<Void>mapEmpty().andThen(done -> {
            if (done.succeeded()) {
                taken.put(material, contents);
                failedAtNanos.remove(material);
            } else {
                failedAtNanos.put(material, System.nanoTime());
                failedWith.put(material, contents);
            }
        });
    }

    /** What is in files at one moment. */
    private record Seen(Map<Material, String> contents, Map<String, Long> expiries) {}

    private Future<Seen> see(Collection<Material> some) {
        return vertx.executeBlocking(() -> {
            Map<Material, String> contents = new HashMap<>();
            Map<String, Long> found = new TreeMap<>();
            for (Material material : Set.copyOf(some)) {
                contents.put(material, material.contents());
                found.putAll(material.expiries());
            }
            return new Seen(contents, found);
        });
    }

    /** When the first certificate in a file expires, seconds since 1970; from anywhere. */
    Map<String, Long> expiries() {
        return expiries;
    }
}
