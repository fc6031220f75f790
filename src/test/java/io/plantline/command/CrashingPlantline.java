package io.plantline.command;

import io.plantline.pipeline.outbox.log.CrashingDisk;
import io.plantline.pipeline.outbox.log.CrashingDisk.Point;
import io.plantline.runtime.DataDirectory;
import java.nio.file.Path;

/**
 * The program on a disk that ends the process at one point: arguments are the configuration, the point, and how often it is
 * passed before; then a pattern of the files that count, and a file that must be there first.
 */
public final class CrashingPlantline {
    private CrashingPlantline() {}

    public static void main(String[] arguments) throws Exception {
        Point point = Point.valueOf(arguments[1]);
        CrashingDisk.arm(point, Integer.parseInt(arguments[2]), arguments[3], Path.of(arguments[4]));
        new RunCommand(
                        new PlantlineCommand(),
                        Path.of(arguments[0]),
                        root -> DataDirectory.open(root, CrashingDisk::new))
                .call();
    }
}
