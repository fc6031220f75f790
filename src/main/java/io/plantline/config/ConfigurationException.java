package io.plantline.config;

import io.plantline.model.Problem;
import java.util.List;

/** A document that cannot run, with all that is wrong with it. */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    /** With errors, and perhaps warnings. */
    public ConfigurationException(List<Problem> problems) {
        super(problems.stream().filter(Problem::isError).count() + " problems in the configuration");
        this.problems = List.copyOf(problems);
    }

    /** Errors and warnings, in the order of their places. */
    public List<Problem> problems() {
        return problems;
    }
}
