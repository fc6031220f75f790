package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.plantline.pipeline.SessionMemory;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataDirectoryTest {
    private final Vertx vertx = Vertx.vertx();

    @TempDir
    private Path folder;

    private Path root() {
        return folder.resolve("data");
    }

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void belongsToOneProcess() throws Exception {
        try (DataDirectory first = DataDirectory.open(root())) {
            assertThat(first).isNotNull();
            assertThatThrownBy(() -> DataDirectory.open(root()))
                    .isInstanceOf(DataDirectory.UnusableException.class)
                    .hasMessageContaining("DATA-LOCKED")
                    .hasMessageContaining(root().toString());
        }
        DataDirectory.open(root()).close();
    }

    @Test
    void refusesWhatAnotherVersionWroteAndChangesNothing() throws Exception {
        DataDirectory.open(root()).close();
        Files.writeString(root().resolve("format"), "plantline-data 99\n");
        assertThatThrownBy(() -> DataDirectory.open(root()))
                .isInstanceOf(DataDirectory.UnusableException.class)
                .hasMessageContaining("plantline-data 99");
        assertThat(root().resolve("format")).hasContent("plantline-data 99");
    }

    @Test
    void saysWhyItCannotBeUsed() throws Exception {
        Files.writeString(root(), "not a folder");
        assertThatThrownBy(() -> DataDirectory.open(root()))
                .isInstanceOf(DataDirectory.UnusableException.class)
                .hasMessageContaining("DATA-UNUSABLE")
                .hasMessageContaining(root().toString());
        assertThat(root()).hasContent("not a folder");
    }

    @Test
    void givesItsLockBackWhereItCannotBeUsed() throws Exception {
        Files.createDirectories(root());
        assertThatThrownBy(() -> DataDirectory.open(root(), folder -> {
                    throw new IOException("read-only");
                }))
                .isInstanceOf(DataDirectory.UnusableException.class)
                .hasMessageContaining("DATA-UNUSABLE")
                .hasMessageContaining("read-only");
        DataDirectory.open(root()).close();
    }

    /** An older program, which would take what this one writes for damage, is to refuse it. */
    @Test
    void whatAnOlderVersionWroteIsThisVersionsFromNowOn() throws Exception {
        DataDirectory.open(root()).close();
        Files.writeString(root().resolve("format"), "plantline-data 2\n");
        DataDirectory.open(root()).close();
        assertThat(root().resolve("format")).hasContent("plantline-data 3");
    }

    @Test
    void isForItsOwnerOnly() throws Exception {
        DataDirectory.open(root()).close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root())))
                .isEqualTo("rwx------");
    }

    @Test
    void anOutboxKeepsItsIdentity() throws Exception {
        try (DataDirectory data = DataDirectory.open(root())) {
            String id = data.outboxId(data.targetFolder("lake", "f00d"));
            assertThat(id).matches("[0-9a-f]{24}");
            assertThat(data.outboxId(data.targetFolder("lake", "f00d"))).isEqualTo(id);
            assertThat(data.outboxId(data.targetFolder("lake", "beef"))).isNotEqualTo(id);
        }
    }

    @Test
    void namesTheLogsThatNoTargetHas() throws Exception {
        try (DataDirectory data = DataDirectory.open(root())) {
            Path mine = data.targetFolder("lake", "f00d");
            Path removed = data.targetFolder("old", "beef");
            Path neverUsed = data.targetFolder("empty", "cafe");
            Files.createFile(mine.resolve("1.log"));
            Files.createFile(removed.resolve("1.log"));
            assertThat(neverUsed).isEmptyDirectory();
            assertThat(data.strangers(Set.of(mine))).containsExactly(removed);
        }
    }

    @Test
    void aSessionOutlivesTheProcessAndANewOneIsWrittenDown() throws Exception {
        long first;
        try (DataDirectory data = DataDirectory.open(root())) {
            first = data.sessions(vertx, "client", 0).current();
        }
        try (DataDirectory data = DataDirectory.open(root())) {
            SessionMemory sessions = data.sessions(vertx, "client", 0);
            assertThat(sessions.current()).isEqualTo(first);
            sessions.next().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
        try (DataDirectory data = DataDirectory.open(root())) {
            assertThat(data.sessions(vertx, "client", 0).current()).isEqualTo(first + 1);
            assertThat(data.sessions(vertx, "other client", 0).current()).isEqualTo(first + 2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "client-id=client\ngeneration=x\nfilters=\n", "client-id=\\u00", "\0\0\0\0"})
    void aSessionThatCannotBeReadIsKeptAsideAndCountsAsAnother(String damaged) throws Exception {
        final long last;
        try (DataDirectory data = DataDirectory.open(root())) {
            SessionMemory sessions = data.sessions(vertx, "client", 0);
            sessions.next().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
            last = sessions.current();
        }
        Files.writeString(root().resolve("session"), damaged);
        await().until(() -> System.currentTimeMillis() > last); // nobody has a new session each millisecond
        try (DataDirectory data = DataDirectory.open(root())) {
            assertThat(data.sessionsLeft("client")).as("nobody knows").isEqualTo(1);
            assertThat(data.sessions(vertx, "client", 0).current())
                    .as("identifiers in the logs belong to others")
                    .isGreaterThan(last);
        }
        assertThat(root().resolve("session.damaged")).hasContent(damaged);
        try (DataDirectory data = DataDirectory.open(root())) {
            assertThat(data.sessions(vertx, "client", 0).current()).isGreaterThan(last);
        }
    }
}
