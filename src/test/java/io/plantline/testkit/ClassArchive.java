package io.plantline.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The classes of the program, parsed once for all of its processes in a test run, as the image has them: on small machines tests
 * that start it again and again would spend most of their time on that.
 */
final class ClassArchive {
    private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
    private static final String DOCUMENT = """
            {"mqtt-broker": {"addresses": ["127.0.0.1:1"], "client-id": "train"},
             "data-directory": "%s",
             "targets": {
               "files": {"type": "file", "directory": "%s", "event-type": "batch", "format": "parquet", "processors": ["model"]},
               "lake": {"type": "s3", "s3-bucket": "lake", "region": "eu-central-1", "endpoint": "http://127.0.0.1:1"},
               "other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": 1, "topic": "out/{topic}"}},
             "processors": {"model": {"type": "remote", "base-url": "http://127.0.0.1:1", "processor-id": "m"}},
             "subscriptions": {"a/#": {"qos": 1, "targets": ["files", "lake", "other"]}}}""";

    private static Optional<Path> archive = Optional.empty();
    private static boolean tried;

    private ClassArchive() {}

    /** What makes the program's own jar start from the archive; nothing, if there can be none. */
    static synchronized List<String> options() {
        if (!tried) {
            tried = true;
            archive = make();
        }
        return archive.map(file -> List.of("-XX:SharedArchiveFile=" + file)).orElse(List.of());
    }

    private static Optional<Path> make() {
        Path jar = PlantlineProcess.jar().toAbsolutePath();
        Path file = jar.resolveSibling("plantline-" + Runtime.version().feature() + ".jsa");
        try {
            if (Files.exists(file) && Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(jar)) > 0) {
                return Optional.of(file);
            }
            Path directory = Files.createTempDirectory("plantline-train");
            Path made = Files.createTempDirectory(jar.getParent(), "train").resolve("archive");
            try (PlantlineProcess trained = PlantlineProcess.in(directory)
                    .untrained()
                    .jvm("-XX:ArchiveClassesAtExit=" + made)
                    .environment("AWS_ACCESS_KEY_ID", "train")
                    .environment("AWS_SECRET_ACCESS_KEY", "train")
                    .config(DOCUMENT.formatted(directory.resolve("data"), directory.resolve("files")))
                    .start()) {
                trained.await("next attempt in");
                trained.stop();
            }
            Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
            return Optional.of(file);
        } catch (IOException | IllegalStateException e) {
            LOG.warn("the program starts without an archive of its classes: {}", e.toString());
            return Optional.empty();
        }
    }
}
