package io.plantline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Two listeners of one future need not run in the order in which they were added: if another thread completes it between the
 * two, the second runs at once and the first when its context is free. So nothing may be composed behind a listener that what
 * is composed depends on; {@code map}, {@code andThen} and the like keep the order.
 */
class FutureOrderTest {
    private static final Pattern LISTENER = Pattern.compile("\\.on(Success|Complete|Failure)\\(");
    private static final Pattern COMPOSED = Pattern.compile(
            "\\s*\\.(map|mapEmpty|compose|recover|eventually|transform|otherwise\\w*|andThen|timeout)\\(");

    @Test
    void nothingIsComposedBehindAListener() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            for (Path source :
                    sources.filter(file -> file.toString().endsWith(".java")).toList()) {
                String text = Files.readString(source);
                Matcher listener = LISTENER.matcher(text);
                while (listener.find()) {
                    Matcher next = COMPOSED.matcher(text).region(end(text, listener.end()), text.length());
                    if (next.lookingAt()) {
                        found.add(source + ":"
                                + text.substring(0, listener.start()).lines().count());
                    }
                }
            }
        }
        assertThat(found).isEmpty();
    }

    /** Behind the bracket that closes what is open at {@code start}. */
    private static int end(String text, int start) {
        int open = 1;
        int at = start;
        boolean quoted = false;
        while (open > 0) {
            char c = text.charAt(at++);
            if (c == '\\') {
                at++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (!quoted) {
                open += c == '(' ? 1 : c == ')' ? -1 : 0;
            }
        }
        return at;
    }
}
