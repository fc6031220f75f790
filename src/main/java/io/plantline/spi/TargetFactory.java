package io.plantline.spi;

import io.plantline.model.TopicFilter;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds a target type. Found by {@link java.util.ServiceLoader}; needs a public constructor without parameters.
 *
 * @param <C> the target's configuration, an immutable record
 */
public interface TargetFactory<C> extends PluginFactory<C> {

    /** Keys whose change makes it another target: they form the fingerprint. All others apply at once. */
    Set<String> identity();

    /** Makes a target that is not open yet. */
    Target create(C config, TargetContext context);

    /**
     * Whether what a plan makes is named by the plan as a whole, so that making it again changes nothing. Such a plan is
     * written down before its first attempt, where messages are kept on disk, and a restart repeats it as it was.
     */
    default boolean namesByPlan(C config) {
        return false;
    }

    /** Whether what it promises needs messages to be numbered over restarts, and so to be kept on disk. */
    default boolean needsDataDirectory(C config) {
        return false;
    }

    /** How many plans may be in flight at once, unless the configuration says otherwise; order holds per topic. */
    default int defaultLanes() {
        return 1;
    }

    /** The payload format when the configuration names none; null if this target takes no format. */
    default @Nullable String defaultFormat() {
        return null;
    }

    /** Where the target connects to, for the rules of {@code security: strict}. */
    default List<Endpoint> endpoints(C config) {
        return List.of();
    }

    /**
     * The topic that a message received on {@code filter} is published to at an MQTT broker, as a filter; null if this
     * target publishes nothing that could come back to us.
     */
    default @Nullable TopicFilter republishes(C config, TopicFilter filter) {
        return null;
    }
}
