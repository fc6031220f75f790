package io.plantline.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Apache Kafka: KRaft nodes as processes of their own, which can be killed. */
public final class KafkaCluster implements AutoCloseable {
    private final Path directory;
    private String clusterId = Uuid.randomUuid().toString();
    private final int[] ports;
    private final int[] controllers;
    private final List<String> settings;
    private final Process[] processes;

    private KafkaCluster(Path directory, int nodes, List<String> settings) {
        this.directory = directory;
        this.ports = IntStream.range(0, nodes).map(i -> Ports.free()).toArray();
        this.controllers = IntStream.range(0, nodes).map(i -> Ports.free()).toArray();
        this.settings = settings;
        this.processes = new Process[nodes];
    }

    /** Starts one node; {@code settings} are lines of its configuration. */
    public static KafkaCluster start(Path directory, String... settings) {
        return start(directory, 1, settings);
    }

    /** Starts several nodes; every topic is on each of them. */
    public static KafkaCluster start(Path directory, int nodes, String... settings) {
        KafkaCluster cluster = new KafkaCluster(directory, nodes, List.of(settings));
        for (int node = 0; node < nodes; node++) {
            cluster.startNode(node);
        }
        cluster.awaitReady();
        return cluster;
    }

    public void startNode(int node) {
        try {
            Path home = Files.createDirectories(directory.resolve("kafka-" + node));
            Path file = home.resolve("server.properties");
            Files.write(file, lines(node, home));
            ProcessBuilder builder = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElse("java"),
                            "-Xmx256m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            KafkaNode.class.getName(),
                            file.toString(),
                            clusterId)
                    .redirectErrorStream(true)
                    .redirectOutput(home.resolve("log.txt").toFile());
            builder.environment().put("PLANTLINE_LOG_LEVEL", "ERROR");
            processes[node] = builder.start();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<String> lines(int node, Path home) {
        int replicas = ports.length;
        String voters = IntStream.range(0, replicas)
                .mapToObj(i -> (i + 1) + "@127.0.0.1:" + controllers[i])
                .collect(Collectors.joining(","));
        List<String> lines = new ArrayList<>(List.of(
                "process.roles=broker,controller",
                "node.id=" + (node + 1),
                "controller.quorum.voters=" + voters,
                "controller.listener.names=CONTROLLER",
                "inter.broker.listener.name=PLAIN",
                "log.dirs=" + home.resolve("data"),
                "default.replication.factor=" + replicas,
                "min.insync.replicas=" + (replicas / 2 + 1),
                "offsets.topic.replication.factor=" + replicas,
                "offsets.topic.num.partitions=1",
                "transaction.state.log.replication.factor=" + replicas,
                "transaction.state.log.min.isr=" + (replicas / 2 + 1),
                "transaction.state.log.num.partitions=1",
                "num.partitions=3",
                // Who is killed is missed soon.
                "broker.heartbeat.interval.ms=500",
                "broker.session.timeout.ms=4000",
                "group.initial.rebalance.delay.ms=0"));
        if (settings.stream().noneMatch(line -> line.startsWith("listeners="))) {
            lines.add("listeners=PLAIN://127.0.0.1:" + ports[node] + ",CONTROLLER://127.0.0.1:" + controllers[node]);
            lines.add("listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT");
        }
        settings.forEach(line -> lines.add(line.replace("${port}", Integer.toString(ports[node]))
                .replace("${controller}", Integer.toString(controllers[node]))));
        return lines;
    }

    /** Kills every node and starts another cluster, with nothing in it, where it was. */
    public void replace() {
        clusterId = Uuid.randomUuid().toString();
        for (int node = 0; node < processes.length; node++) {
            kill(node);
            removeAll(directory.resolve("kafka-" + node));
            startNode(node);
        }
        awaitReady();
    }

    private static void removeAll(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As Kafka names it. */
    public String clusterId() {
        return clusterId;
    }

    /** Returns when every node is there; throws, with what it said last, if one has ended. */
    public void awaitReady() {
        try (Admin admin = admin()) {
            long end = System.nanoTime() + 60_000_000_000L;
            while (System.nanoTime() < end && Arrays.stream(processes).allMatch(Process::isAlive)) {
                try {
                    if (admin.describeCluster().nodes().get(5, TimeUnit.SECONDS).size() == ports.length) {
                        return;
                    }
                } catch (Exception e) {
                    LockSupport.parkNanos(100_000_000);
                }
            }
        }
        throw new IllegalStateException("Kafka did not start: " + lastWords());
    }

    private String lastWords() {
        return IntStream.range(0, processes.length)
                .mapToObj(node -> {
                    try {
                        List<String> log = Files.readAllLines(directory.resolve("kafka-" + node + "/log.txt"));
                        return "node " + node + (processes[node].isAlive() ? " runs: " : " has ended: ")
                                + log.subList(Math.max(0, log.size() - 5), log.size());
                    } catch (IOException e) {
                        return "node " + node + ": " + e;
                    }
                })
                .collect(Collectors.joining("; "));
    }

    public Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers(), "reconnect.backoff.max.ms", "200"));
    }

    /** Of all nodes, as {@code host:port,host:port}. */
    public String bootstrapServers() {
        return Arrays.stream(ports).mapToObj(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    }

    /** The same, as the items of a JSON array. */
    public String bootstrapJson() {
        return '"' + bootstrapServers().replace(",", "\", \"") + '"';
    }

    public void createTopic(String name, int partitions, Map<String, String> settings) {
        NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.empty()).configs(settings);
        administer(admin -> admin.createTopics(List.of(topic)).all());
    }

    public void deleteTopic(String name) {
        administer(admin -> admin.deleteTopics(List.of(name)).all());
    }

    /** Changes a setting of a topic. */
    public void set(String topic, String setting, String value) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET);
        administer(admin ->
                admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all());
    }

    /** Takes the right to write to a topic from a user. */
    public void deny(String topic, String user) {
        AclBinding denial = new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:" + user, "*", AclOperation.WRITE, AclPermissionType.DENY));
        administer(admin -> admin.createAcls(List.of(denial)).all());
    }

    /** Gives back what was taken. */
    public void allow(String topic) {
        AclBindingFilter all = new AclBindingFilter(
                new ResourcePatternFilter(ResourceType.TOPIC, topic, PatternType.LITERAL),
                AccessControlEntryFilter.ANY);
        administer(admin -> admin.deleteAcls(List.of(all)).all());
    }

    private void administer(Function<Admin, KafkaFuture<?>> change) {
        try (Admin admin = admin()) {
            change.apply(admin).get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The node that leads a partition, from 0. */
    public int leader(String topic, int partition) {
        try (Admin admin = admin()) {
            return admin.describeTopics(List.of(topic))
                            .allTopicNames()
                            .get(30, TimeUnit.SECONDS)
                            .get(topic)
                            .partitions()
                            .get(partition)
                            .leader()
                            .id()
                    - 1;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The partitions of topics, those of Kafka's own too, that take no records: without a leader, or with too few in sync. */
    public List<String> unavailable(String... topics) {
        List<String> names = new ArrayList<>(List.of(topics));
        names.addAll(List.of("__transaction_state", "__consumer_offsets"));
        try (Admin admin = admin()) {
            return admin.describeTopics(names).allTopicNames().get(30, TimeUnit.SECONDS).values().stream()
                    .flatMap(topic -> topic.partitions().stream()
                            .filter(partition -> partition.leader() == null
                                    || partition.leader().isEmpty()
                                    || partition.isr().size() <= ports.length / 2)
                            .map(partition -> topic.name() + " " + partition))
                    .toList();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** SIGKILL; returns the exit code, 137. */
    public int kill(int node) {
        try {
            return processes[node].destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public long pid(int node) {
        return processes[node].pid();
    }

    /** Follows a topic from its beginning. */
    public CommittedRecords follow(String topic) {
        return new CommittedRecords(consumer(topic));
    }

    /** One with isolation.level=read_committed, at the beginning of every partition. */
    private KafkaConsumer<byte[], byte[]> consumer(String topic) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrapServers());
        config.put("isolation.level", "read_committed");
        config.put("auto.offset.reset", "earliest");
        KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    /**
     * All that a consumer with isolation.level=read_committed finds when the transactions of now are over, in order per partition:
     * who commits one hears of it a moment before consumers do.
     */
    public List<ConsumerRecord<byte[], byte[]>> read(String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(topic)) {
            Set<TopicPartition> partitions = consumer.assignment();
            Map<TopicPartition, Long> ends = ends(partitions);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            long until = System.nanoTime() + 60_000_000_000L;
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                if (System.nanoTime() > until) {
                    throw new IllegalStateException("an open transaction hides the end of " + topic);
                }
            }
            return records;
        }
    }

    /** Behind the last records, whether they are committed or not. */
    private Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
        try (Admin admin = admin()) {
            Map<TopicPartition, Long> ends = new HashMap<>();
            admin.listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                    .all()
                    .get(30, TimeUnit.SECONDS)
                    .forEach((partition, end) -> ends.put(partition, end.offset()));
            return ends;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        for (int node = 0; node < processes.length; node++) {
            if (processes[node] != null) {
                kill(node);
            }
        }
    }
}
