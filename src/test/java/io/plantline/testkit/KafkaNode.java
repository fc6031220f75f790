package io.plantline.testkit;

import kafka.Kafka;
import kafka.tools.StorageTool;

/** A Kafka node as a process: formats its folder, if that is new, and runs until it is killed. */
public final class KafkaNode {
    private KafkaNode() {}

    public static void main(String[] args) {
        String settings = args[0];
        String cluster = args[1];
        StorageTool.execute(
                new String[] {"format", "--ignore-formatted", "--cluster-id", cluster, "--config", settings},
                System.out);
        Kafka.main(new String[] {settings});
    }
}
