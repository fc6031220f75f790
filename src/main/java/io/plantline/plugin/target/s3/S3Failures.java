package io.plantline.plugin.target.s3;

import io.plantline.model.Failure;
import io.plantline.model.FailureException;
import java.util.Set;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkClientException;

/** Says who must act on an S3 error: by status and error code, never by message text. */
final class S3Failures {
    /** Refusals of this one object; everything else that is refused waits for somebody. */
    private static final Set<String> OF_THE_OBJECT = Set.of("EntityTooLarge", "KeyTooLongError", "MetadataTooLarge");

    /** 400s that pass by themselves. */
    private static final Set<String> PASSING = Set.of(
            "RequestTimeout",
            "RequestTimeTooSkewed",
            "BadDigest",
            "InternalError",
            "SlowDown",
            "OperationAborted",
            "ConditionalRequestConflict",
            "ServiceUnavailable",
            "Throttling",
            "ThrottlingException",
            "XAmzContentSHA256Mismatch");

    private S3Failures() {}

    static Failure of(Throwable error) {
        Throwable cause = unwrap(error);
        if (cause instanceof FailureException failure) {
            return failure.failure();
        }
        if (cause instanceof AwsServiceException service) {
            return ofService(service);
        }
        if (cause instanceof ApiCallTimeoutException || cause instanceof ApiCallAttemptTimeoutException) {
            return Failure.retry("timeout", text(cause));
        }
        if (cause instanceof SdkClientException client && isConfiguration(client)) {
            return Failure.operator("no-credentials", text(cause));
        }
        return Failure.retry("unreachable", text(cause));
    }

    private static Failure ofService(AwsServiceException error) {
        String code = error.awsErrorDetails() == null || error.awsErrorDetails().errorCode() == null
                ? ""
                : error.awsErrorDetails().errorCode();
        int status = error.statusCode();
        String name = code.isEmpty() ? "status-" + status : code;
        if (OF_THE_OBJECT.contains(code)) {
            return Failure.reject(name, text(error));
        }
        if (status == 501) {
            return Failure.operator(
                    name, text(error) + "; a store without If-None-Match needs conditional-writes: false");
        }
        if (PASSING.contains(code)
                || status >= 500
                || status == 409
                || status == 429
                || error.isThrottlingException()) {
            return Failure.retry(name, text(error));
        }
        return Failure.operator(name, text(error));
    }

    /** The SDK has one exception for "no credentials" and "no connection"; only the former lacks a cause of its own. */
    private static boolean isConfiguration(SdkClientException error) {
        return error.getCause() == null && !error.retryable();
    }

    static boolean isAlreadyThere(Throwable error) {
        return unwrap(error) instanceof AwsServiceException service && service.statusCode() == 412;
    }

    static boolean isForbidden(Throwable error) {
        return unwrap(error) instanceof AwsServiceException service && service.statusCode() == 403;
    }

    static boolean isMissing(Throwable error) {
        return unwrap(error) instanceof AwsServiceException service && service.statusCode() == 404;
    }

    private static Throwable unwrap(Throwable error) {
        Throwable cause = error.getCause();
        return error instanceof CompletionException && cause != null ? cause : error;
    }

    private static String text(Throwable error) {
        String message = error.getMessage();
        return message == null ? error.getClass().getSimpleName() : message;
    }
}
