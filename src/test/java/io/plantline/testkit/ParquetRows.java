package io.plantline.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Reads Parquet with DuckDB, which shares no code with what wrote it. */
public final class ParquetRows {
    private ParquetRows() {}

    /** One row. */
    public record Row(
            String messageId,
            String topic,
            byte[] payload,
            String contentType,
            int qos,
            boolean retained,
            Map<?, ?> userProperties,
            OffsetDateTime receivedAt) {}

    public static List<Row> read(byte[] file) {
        try {
            Path path = Files.createTempFile("rows", ".parquet");
            try {
                Files.write(path, file);
                return read(path.toString());
            } finally {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Counts the rows of every file that a glob names. */
    public static long count(String glob) {
        return number("count(*)", glob);
    }

    /** Counts message identities: a message that came twice has two. */
    public static long countDistinctIds(String glob) {
        return number("count(DISTINCT message_id)", glob);
    }

    private static long number(String what, String glob) {
        try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duck.createStatement();
                ResultSet rows = statement.executeQuery("SELECT " + what + " FROM read_parquet('" + glob + "')")) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            if (String.valueOf(e.getMessage()).contains("No files found")) {
                return 0;
            }
            throw new IllegalStateException(e);
        }
    }

    /** Shows the payload of each row of every file that a glob names, in the order of message ids. */
    public static void forEachPayload(String glob, Consumer<byte[]> payload) {
        String query = "SELECT payload FROM read_parquet('" + glob.replace("'", "''") + "') ORDER BY message_id";
        try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duck.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                payload.accept(rows.getBytes(1));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads every file that a glob names. */
    public static List<Row> read(String glob) {
        String query = "SELECT message_id, topic, payload, content_type, qos, retained, user_properties, received_at"
                + " FROM read_parquet('" + glob.replace("'", "''") + "')";
        try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duck.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<Row> read = new ArrayList<>();
            while (rows.next()) {
                read.add(new Row(
                        rows.getString(1),
                        rows.getString(2),
                        rows.getBytes(3),
                        rows.getString(4),
                        rows.getInt(5),
                        rows.getBoolean(6),
                        (Map<?, ?>) rows.getObject(7),
                        rows.getObject(8, OffsetDateTime.class)));
            }
            return read;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
