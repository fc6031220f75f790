package io.plantline.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plantline.pipeline.outbox.log.CrashingDisk;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
    @TempDir
    private Path folder;

    @Test
    void aFileIsReplacedAndNothingElseIsLeft() throws IOException {
        DurableFiles files = new DurableFiles(CrashingDisk::new);
        files.write(folder.resolve("session"), "old");
        files.write(folder.resolve("session"), "new");

        assertThat(folder.toFile().list()).containsExactly("session");
        assertThat(folder.resolve("session")).hasContent("new");
    }

    @Test
    void aFileSystemThatConfirmsWhatItHasGivenUpIsNotBelieved() {
        DurableFiles files = new DurableFiles(GivingUp::new);

        assertThatThrownBy(() -> files.write(folder.resolve("session"), "new")).hasMessage("Read-only file system");
    }

    /** Gives its journal up while it forces names, and confirms that. */
    private static final class GivingUp extends CrashingDisk {
        private boolean givenUp;

        GivingUp(Path folder) throws IOException {
            super(folder);
        }

        @Override
        public void forceNames() {
            givenUp = true;
        }

        @Override
        public void delete(String name) throws IOException {
            if (givenUp) {
                throw new IOException("Read-only file system");
            }
            super.delete(name);
        }
    }
}
