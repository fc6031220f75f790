package io.plantline.testkit;

import io.plantline.admin.AdminClient;
import io.plantline.observe.OutboxReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** What {@code plantline ledger} prints of a program that runs, without another process for each look. */
public final class Books {
    private Books() {}

    /** A line per target of the program that has {@code data}. */
    public static String of(Path data) throws IOException {
        return new AdminClient(data.resolve("admin"))
                .outboxes().toCompletionStage().toCompletableFuture().join().stream()
                        .map(OutboxReport::ledger)
                        .collect(Collectors.joining("\n", "", "\n"));
    }
}
