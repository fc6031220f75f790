package io.plantline.testkit;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Of all tests: most of what unit tests wait for comes sooner than Awaitility looks by itself, after a tenth of a second. What
 * integration tests look at costs more, and comes later.
 */
public final class ShortWaits implements BeforeAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
        if (!context.getRequiredTestClass().getSimpleName().endsWith("IT")) {
            Awaitility.setDefaultPollDelay(Duration.ZERO);
            Awaitility.setDefaultPollInterval(Duration.ofMillis(20));
        }
    }
}
