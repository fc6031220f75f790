package io.plantline.model;

/**
 * Why something was not delivered, as a value: who must act, a stable code to count by, and a sentence for a person.
 *
 * @param kind who must act
 * @param code short and stable, in kebab case ({@code throttled}, {@code access-denied}); metrics and tests use it
 * @param detail for a log line; never a payload, never a secret
 * @param tried whether the message itself was put to the test; a target that could not be reached says nothing of it
 */
public record Failure(Kind kind, String code, String detail, boolean tried) {

    /** Who must act before another attempt can succeed. */
    public enum Kind {
        /** Time heals: try the same again after a while. */
        RETRY,
        /** This message can never be delivered; the others can. */
        REJECT,
        /** Somebody must change something outside (a permission, a bucket, a credential): hold, alarm, try again. */
        OPERATOR
    }

    public static Failure retry(String code, String detail) {
        return new Failure(Kind.RETRY, code, detail, true);
    }

    /** A RETRY that says nothing of the message: it did not get there. */
    public static Failure notTried(String code, String detail) {
        return new Failure(Kind.RETRY, code, detail, false);
    }

    public static Failure reject(String code, String detail) {
        return new Failure(Kind.REJECT, code, detail, true);
    }

    public static Failure operator(String code, String detail) {
        return new Failure(Kind.OPERATOR, code, detail, true);
    }

    /** The failure that {@code cause} carries, or else a RETRY that names its class: an unknown error never drops. */
    public static Failure of(Throwable cause) {
        if (cause instanceof FailureException failure) {
            return failure.failure();
        }
        String message = cause.getMessage();
        String name = cause.getClass().getSimpleName();
        return retry("unexpected", message == null ? name : name + ": " + message);
    }

    /** As an exception, for a failed future. */
    public FailureException asException() {
        return new FailureException(this);
    }

    @Override
    public String toString() {
        return kind + " " + code + ": " + detail;
    }
}
