package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How many different payloads the Parquet files of a folder have by now, counted with DuckDB for those who wait. Files only come and
 * do not change, so that each is read once; {@link Verifier} reads all of them at the end.
 */
public final class DistinctRows {
    private final Supplier<Path> folder;
    private final Set<Path> read = new HashSet<>();
    private final Set<Long> hashes = new HashSet<>();

    private DistinctRows(Supplier<Path> folder) {
        this.folder = folder;
    }

    /** Those below a folder, which need not be there yet. */
    public static DistinctRows in(Path folder) {
        return in(() -> folder);
    }

    /** Those below a folder that is brought up to date when it is asked for. */
    public static DistinctRows in(Supplier<Path> folder) {
        return new DistinctRows(folder);
    }

    /** Those of now. */
    public long count() {
        List<Path> files = newFiles(folder.get());
        if (!files.isEmpty()) {
            String list = files.stream().map(file -> "'" + file + "'").collect(Collectors.joining(", ", "[", "]"));
            try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
                    Statement statement = duck.createStatement();
                    ResultSet rows =
                            statement.executeQuery("SELECT hash(payload)::VARCHAR FROM read_parquet(" + list + ")")) {
                while (rows.next()) {
                    hashes.add(Long.parseUnsignedLong(rows.getString(1)));
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            read.addAll(files);
        }
        return hashes.size();
    }

    private List<Path> newFiles(Path folder) {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(file -> file.toString().endsWith(".parquet") && !read.contains(file))
                    .toList();
        } catch (UncheckedIOException e) {
            return newFiles(folder); // A file got its name while we looked.
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
