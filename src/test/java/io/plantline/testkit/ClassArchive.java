package io.plantline.testkit;

import static org.awaitility.Awaitility.await;

import io.plantline.testkit.InferenceService.Reply;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The classes of the program, parsed once for all of its processes in a test run, as the image has them: on small machines tests
 * that start it again and again would spend most of their time on that. One process does a bit of everything for it: what it has
 * not loaded by then, each of the others parses for itself.
 */
final class ClassArchive {
    private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
    private static final int TOPICS = 10;
    private static final int MESSAGES = 2_000;

    private static Optional<Path> archive = Optional.empty();
    private static boolean failed;

    private ClassArchive() {}

    /** What makes the program's own jar start from the archive; nothing, if there is none yet or can be none. */
    static synchronized List<String> options() {
        if (archive.isEmpty() && !failed) {
            archive = find();
        }
        return archive.map(file -> List.of("-XX:SharedArchiveFile=" + file)).orElse(List.of());
    }

    /** Tests run in several processes: the first makes it, and the others do without until it is there. */
    private static Optional<Path> find() {
        Path jar = PlantlineProcess.jar().toAbsolutePath();
        Path file = jar.resolveSibling("plantline-" + Runtime.version().feature() + ".jsa");
        try (FileChannel channel = FileChannel.open(
                        file.resolveSibling(file.getFileName() + ".lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                FileLock one = channel.tryLock()) {
            if (one == null) {
                return Optional.empty();
            }
            if (!Files.exists(file) || Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(jar)) <= 0) {
                Path directory = Files.createTempDirectory(jar.getParent(), "train");
                Path made = directory.resolve("archive");
                train(directory, made);
                Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
            }
            return Optional.of(file);
        } catch (Exception e) {
            LOG.warn("the program starts without an archive of its classes: {}", e.toString());
            failed = true;
            return Optional.empty();
        }
    }

    private static void train(Path directory, Path made) throws Exception {
        try (Artemis broker = Artemis.start();
                S3Server store = S3Server.start();
                InferenceService service = InferenceService.start(request -> Reply.ok(request.body()));
                Collector other = new Collector(broker.port(), "out/#", 1);
                PlantlineProcess program = PlantlineProcess.in(directory)
                        .untrained()
                        .jvm("-XX:ArchiveClassesAtExit=" + made)
                        .environment("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY)
                        .environment("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY)
                        .environment("EDGE_CLUSTER_HOST", "127.0.0.1")
                        .environment("EDGE_HTTP", "127.0.0.1:" + Ports.free())
                        .config(document(directory, broker, store, service))
                        .start()) {
            store.createBucket("lake");
            program.awaitSubscribed();
            new Generator(broker.port(), TOPICS, topic -> "plant/line" + topic, 2, 200).publish(MESSAGES, 0, 500);
            await().until(() -> !store.keys("lake").isEmpty() && other.tally().distinct() == MESSAGES);
            program.stop();
        }
    }

    private static String document(Path directory, Artemis broker, S3Server store, InferenceService service)
            throws Exception {
        Certificates nodes = Certificates.make(directory, "node", "ip:127.0.0.1");
        return """
                {"mqtt-broker": {"addresses": ["127.0.0.1:%d"], "client-id": "train"},
                 "cluster": {"members": ["127.0.0.1"], "port": %d, "bus-port": %d,
                             "tls": {"ca": "%s", "certificate": "%s", "key": "%s"}},
                 "data-directory": "%s",
                 "targets": {
                   "files": {"type": "file", "directory": "%s", "event-type": "batch", "format": "parquet", "batch": {"max-age": "100ms"}},
                   "lake": {"type": "s3", "s3-bucket": "lake", "region": "us-east-1", "endpoint": "%s", "path-style": true,
                            "event-type": "batch", "batch": {"max-age": "100ms"}, "processors": ["model"]},
                   "other": {"type": "mqtt", "mqtt-broker-host": "127.0.0.1", "mqtt-broker-port": %d, "topic": "out/{topic}"},
                   "nobody": {"type": "kafka", "bootstrap-servers": ["127.0.0.1:1"], "topic": "nobody"}},
                 "processors": {"model": {"type": "remote", "base-url": "%s", "processor-id": "m"}},
                 "subscriptions": {"plant/#": {"qos": 2, "targets": ["files", "lake", "other"]},
                                   "nobody/#": {"qos": 1, "target": "nobody"}}}""".formatted(
                        broker.port(),
                        Ports.free(),
                        Ports.free(),
                        nodes.certificate(),
                        nodes.certificate(),
                        nodes.key(),
                        directory.resolve("data"),
                        directory.resolve("files"),
                        store.uri(),
                        broker.port(),
                        service.url());
    }
}
