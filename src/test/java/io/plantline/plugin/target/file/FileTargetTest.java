package io.plantline.plugin.target.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.plugin.format.raw.RawFormatFactory;
import io.plantline.spi.PublishBatch;
import io.plantline.testkit.Sections;
import io.plantline.testkit.TestContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileTargetTest {
    @TempDir
    private Path directory;

    private FileTarget target(TestContext context, String more) {
        FileTargetConfig config =
                Sections.target("{\"type\": \"file\", \"directory\": \"" + directory + "/lake\", " + more + "}");
        return new FileTarget(config, context);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> walk = Files.walk(directory)) {
            return walk.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void writesEachObjectOnceAndLeavesNoHalfFile() throws Exception {
        try (TestContext context = new TestContext(new RawFormatFactory().create("txt"))) {
            FileTarget target = target(context, "\"event-type\": \"batch\"");
            PublishBatch plan = TestContext.plan(TestContext.batch("a=one", "b=two"));
            assertThat(context.call(() -> target.publish(plan)).refused()).isEmpty();
            assertThat(context.call(() -> target.publish(plan)).refused()).isEmpty();
            assertThat(files()).hasSize(1);
            assertThat(files().get(0)).hasContent("one\ntwo");
            assertThat(files().get(0).toString())
                    .contains("/lake/dt=2026-11-24/hour=07/messages-")
                    .endsWith("-0.txt");
        }
    }

    @Test
    void aHalfWrittenFileOfACrashIsReplaced() throws Exception {
        try (TestContext context = new TestContext(new RawFormatFactory().create("txt"))) {
            FileTarget target = target(context, "\"event-type\": \"single\", \"partition\": \"p\"");
            PublishBatch plan = TestContext.plan(TestContext.batch("a=whole"));
            Path folder = Files.createDirectories(directory.resolve("lake/p"));
            Files.writeString(
                    folder.resolve(
                            ".messages-0123456789abcdef01234567-3-0000000000000000001-0000000000000000001-0.txt.part"),
                    "wh");
            context.call(() -> target.publish(plan));
            assertThat(files()).hasSize(1);
            assertThat(files().get(0)).hasContent("whole");
        }
    }

    @Test
    void aPlaceThatCannotBeWrittenIsTriedAgain() throws Exception {
        Files.writeString(directory.resolve("lake"), "a file where a folder should be");
        try (TestContext context = new TestContext(new RawFormatFactory().create("txt"))) {
            FileTarget target = target(context, "\"event-type\": \"batch\"");
            assertThat(context.call(() -> target.publish(TestContext.plan(TestContext.batch("a=x"))))
                            .refused()
                            .get(0))
                    .asString()
                    .startsWith("RETRY io: ");
        }
    }

    @Test
    void aFileMayBeLargerThanItsMemory() throws Exception {
        try (TestContext context = new TestContext(new RawFormatFactory().create("txt"))) {
            FileTarget target = target(context, "\"event-type\": \"batch\"");
            String payload = "0123456789".repeat(60_000);
            PublishBatch plan = TestContext.plan(TestContext.batch("a=" + payload, "b=" + payload, "c=" + payload));
            assertThat(context.call(() -> target.publish(plan)).refused()).isEmpty();
            assertThat(context.call(() -> target.publish(plan)).refused()).isEmpty();
            assertThat(files()).hasSize(1);
            assertThat(files().get(0)).hasContent(payload + "\n" + payload + "\n" + payload);
        }
    }
}
