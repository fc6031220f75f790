package io.plantline;

import io.plantline.command.PlantlineCommand;

/** The program. The only place that may exit. */
public final class Plantline {
    private Plantline() {}

    /** Runs the command line and exits with its code, see {@link PlantlineCommand}. */
    public static void main(String[] arguments) {
        System.exit(PlantlineCommand.execute(arguments));
    }
}
