package io.plantline.plugin.target.kafka;

import io.plantline.model.Failure;
import io.plantline.model.FailureException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** Says who must act when Kafka refuses. */
final class KafkaFailures {
    private KafkaFailures() {}

    static Failure of(Throwable thrown) {
        if (thrown instanceof FailureException known) {
            return known.failure();
        }
        Throwable cause = thrown;
        while (cause.getCause() != null && (cause instanceof ExecutionException || isBare(cause))) {
            cause = cause.getCause();
        }
        String detail = String.valueOf(cause.getMessage());
        if (cause instanceof RecordTooLargeException) {
            return Failure.reject("record-too-large", detail);
        } else if (cause instanceof InvalidTopicException) {
            return Failure.operator("no-topic", detail);
        } else if (cause instanceof AuthenticationException) {
            return Failure.operator("not-authenticated", detail);
        } else if (cause instanceof ProducerFencedException || cause instanceof InvalidProducerEpochException) {
            return Failure.operator(
                    "fenced", "another process writes with this outbox, or the transaction took too long: " + detail);
        } else if (cause instanceof AuthorizationException) {
            return Failure.operator("access-denied", detail);
        } else if (cause instanceof UnknownTopicOrPartitionException || isWithoutTopic(cause)) {
            return Failure.operator("no-topic", detail);
        } else if (cause instanceof ConfigException
                || cause instanceof InvalidConfigurationException
                || cause instanceof UnsupportedVersionException) {
            return Failure.operator("configuration", detail);
        }
        return Failure.retry("unavailable", cause.getClass().getSimpleName() + ": " + detail);
    }

    /**
     * A producer waits for a topic as long as it may, and throws the same, with no cause, where no broker has answered: that one
     * comes back by itself.
     */
    private static boolean isWithoutTopic(Throwable cause) {
        return cause instanceof TimeoutException && cause.getCause() instanceof UnknownTopicOrPartitionException;
    }

    /** A KafkaException itself says less than what it was thrown for. */
    private static boolean isBare(Throwable cause) {
        return cause.getClass() == org.apache.kafka.common.KafkaException.class;
    }
}
