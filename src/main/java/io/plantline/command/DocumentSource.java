package io.plantline.command;

import io.plantline.config.EnvironmentVariables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where the document comes from: a file, or the environment. */
final class DocumentSource {
    private DocumentSource() {}

    /** There is no document where it should be. */
    static final class NoDocumentException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoDocumentException(String message) {
            super(message);
        }
    }

    static String read(@Nullable Path file) {
        if (file != null) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw new NoDocumentException("cannot read " + file + ": " + e.getMessage());
            }
        }
        String text = System.getenv(EnvironmentVariables.DOCUMENT);
        if (text == null || text.isBlank()) {
            throw new NoDocumentException(
                    "there is no configuration: use run --config FILE, or set " + EnvironmentVariables.DOCUMENT);
        }
        return text;
    }
}
