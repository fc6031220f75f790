package io.plantline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.plantline.testkit.Mosquitto;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference configuration end to end, on real parts. */
class ReferenceIT {
    /** Of the reference document's example configuration. */
    private static final String SHA_256 = "2720da2e7bb1d5cc356cf0c8bceb07dcff14fcd83b5c168e46d5e26252f3f051";

    /** The container has the names of the reference's cluster, and shares this machine's network. */
    private static final Optional<String> IMAGE = Optional.ofNullable(System.getProperty("plantline.image"));

    @TempDir
    private Path directory;

    @Test
    void theConfigurationIsTheReferenceOneByteForByte() throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(Path.of("conf/reference.json")));
        assertThat(HexFormat.of().formatHex(hash)).isEqualTo(SHA_256);
    }

    @ParameterizedTest
    @ValueSource(strings = {"artemis", "mosquitto"})
    void everyMessageOfEveryQosArrivesOnceAndInOrder(String brokers) throws Exception {
        run(brokers, 20, "");
    }

    /** Every twentieth packet of every connection is lost. */
    @Test
    @DisabledIfSystemProperty(named = "plantline.image", matches = ".*", disabledReason = "it would lose the machine's")
    void lostPacketsCostTimeAndNothingElse() throws Exception {
        String output =
                run("artemis", 10, "iptables -A INPUT -i lo -m statistic --mode random --probability 0.05 -j DROP && ");
        Matcher dropped = Pattern.compile("(\\d+) +\\d+ +DROP").matcher(output);
        assertThat(dropped.find()).isTrue();
        assertThat(Integer.parseInt(dropped.group(1))).as("packets were lost").isGreaterThan(100);
    }

    private String run(String brokers, int perTopic, String fault) throws Exception {
        if (brokers.equals("mosquitto")) {
            Mosquitto.assumeInstalled();
        }
        List<String> command = new ArrayList<>();
        if (IMAGE.isEmpty()) {
            Assumptions.assumeTrue(
                    canUnshare(), "SKIPPED: network and mount namespaces need root and Linux (unshare, ip, mount)");
            Path hosts = Files.writeString(
                    directory.resolve("hosts"), "127.0.0.1 localhost\n127.0.0.1 edge-processor.svc.cluster.local\n");
            // What other tests have mounted would stay in use here when they unmount it.
            String alone = "findmnt -rno TARGET | grep '^" + System.getProperty("java.io.tmpdir")
                    + "/junit' | xargs -r umount -l; ";
            String script = alone + "ip link set lo up && " + fault + "mount --bind " + hosts
                    + " /etc/hosts && \"$@\"; " + (fault.isEmpty() ? "" : "iptables -nvxL INPUT");
            command.addAll(List.of("unshare", "--net", "--mount", "bash", "-c", script, "bash"));
        }
        command.addAll(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-Dplantline.jar=" + System.getProperty("plantline.jar", "target/plantline.jar")));
        IMAGE.ifPresent(image -> command.add("-Dplantline.image=" + image));
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                ReferenceScenario.class.getName(),
                Files.createDirectories(directory.resolve("work")).toString(),
                brokers,
                Integer.toString(perTopic)));
        Path output = directory.resolve("scenario.out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("ends in time").isTrue();
            assertThat(Files.readString(output)).contains("SCENARIO-PASSED");
            return Files.readString(output);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static boolean canUnshare() throws Exception {
        try {
            return new ProcessBuilder("unshare", "--net", "--mount", "bash", "-c", "ip link set lo up")
                            .start()
                            .waitFor()
                    == 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }
}
