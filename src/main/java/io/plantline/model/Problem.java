package io.plantline.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One thing that is wrong, or looks wrong, in the configuration.
 *
 * @param severity an ERROR refuses the document, a WARNING does not
 * @param pointer JSON pointer (RFC 6901) of the place
 * @param line of the place in the document, from 1; 0 if there is none
 * @param message what was found and what is allowed
 * @param hint what to write instead, if there is a good guess
 */
public record Problem(
        Severity severity,
        String pointer,
        int line,
        String message,
        @Nullable String hint) {

    /** Whether the document can run in spite of the problem. */
    public enum Severity {
        ERROR,
        WARNING
    }

    public static Problem error(String pointer, String message, @Nullable String hint) {
        return new Problem(Severity.ERROR, pointer, 0, message, hint);
    }

    public static Problem warning(String pointer, String message, @Nullable String hint) {
        return new Problem(Severity.WARNING, pointer, 0, message, hint);
    }

    /** The same problem, found on {@code line}. */
    public Problem onLine(int line) {
        return new Problem(severity, pointer, line, message, hint);
    }

    public boolean isError() {
        return severity == Severity.ERROR;
    }

    @Override
    public String toString() {
        return severity.name().toLowerCase(Locale.ROOT)
                + " "
                + (pointer.isEmpty() ? "/" : pointer)
                + (line > 0 ? " (line " + line + ")" : "")
                + ": "
                + message
                + (hint == null ? "" : "; " + hint);
    }
}
