package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.pipeline.outbox.log.CrashingDisk;
import io.plantline.pipeline.outbox.log.FileDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SectionMemoryTest {
    @TempDir
    private Path folder;

    @Test
    void whatIsRememberedOutlivesAStart() {
        SectionMemory memory = new SectionMemory(folder, FileDisk::new);
        assertThat(memory.recall("kafka-cluster")).isEmpty();
        memory.remember("kafka-cluster", "first");
        memory.remember("kafka-cluster", "second");
        assertThat(memory.recall("kafka-cluster")).contains("second");
        assertThat(new SectionMemory(folder, FileDisk::new).recall("kafka-cluster"))
                .contains("second");
    }

    @Test
    void aDiskThatRefusesKeepsNobodyWaiting() throws IOException {
        SectionMemory memory = new SectionMemory(folder, Refusing::new);
        memory.remember("kafka-cluster", "first");
        assertThat(memory.recall("kafka-cluster")).contains("first");
        Files.createDirectory(folder.resolve("known-other"));
        assertThat(memory.recall("other")).as("it cannot be read").isEmpty();
    }

    private static final class Refusing extends CrashingDisk {
        Refusing(Path folder) throws IOException {
            super(folder);
        }

        @Override
        public File create(String name) throws IOException {
            throw new IOException("No space left on device");
        }
    }
}
