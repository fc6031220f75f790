package io.plantline.command;

import io.plantline.pipeline.outbox.log.CrashingDisk;
import io.plantline.pipeline.outbox.log.CrashingDisk.Point;
import io.plantline.runtime.DataDirectory;
import java.nio.file.Path;

/**
 * The program on a disk that ends the process at one point: arguments are the configuration, the point, and how often it is
 * passed before.
 */
public final class CrashingPlantline {
    private CrashingPlantline() {}

    public static void main(String[] arguments) throws Exception {
        CrashingDisk.arm(Point.valueOf(arguments[1]), Integer.parseInt(arguments[2]));
        new RunCommand(
                        new PlantlineCommand(),
                        Path.of(arguments[0]),
                        root -> DataDirectory.open(root, CrashingDisk::new))
                .call();
    }
}
