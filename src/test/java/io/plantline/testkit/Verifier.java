package io.plantline.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Counts the rows of Parquet files against what was published, in a process of its own, with DuckDB. */
public final class Verifier {
    private Verifier() {}

    /**
     * What was found.
     *
     * @param text for a person
     * @param missing ranges of messages
     */
    public record Findings(String text, long total, long duplicates, long altered, List<String> missing) {}

    /** Verifies the Parquet files below a folder. */
    public static Findings verify(Path folder, int topics, int perTopic) {
        try {
            Process process = Children.start(
                    Verifier.class, folder + "/**/*.parquet", Integer.toString(topics), Integer.toString(perTopic));
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            if (process.waitFor() != 0) {
                throw new IllegalStateException("the verifier failed: " + lines);
            }
            long[] counts = Arrays.stream(lines.get(1).split(" "))
                    .mapToLong(Long::parseLong)
                    .toArray();
            return new Findings(lines.get(0), counts[0], counts[1], counts[2], lines.subList(2, lines.size()));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Prints a line for a person, a line of counts, and a line per range that is missing. */
    public static void main(String[] arguments) {
        Tally tally = new Tally();
        ParquetRows.forEachPayload(arguments[0], tally::add);
        List<String> missing = tally.missing(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        long written = ParquetRows.count(arguments[0]) - ParquetRows.countDistinctIds(arguments[0]);
        System.out.println(tally + " (of them " + written + " written twice), missing " + missing);
        System.out.println(tally.total() + " " + tally.duplicates() + " " + tally.altered());
        missing.forEach(System.out::println);
    }
}
