package io.plantline.pipeline.outbox.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;

/** A disk that forces nothing while it is told to wait. */
public final class SlowDisk extends ForwardingDisk {
    private final Semaphore forces;

    public SlowDisk(Path folder, Semaphore forces) throws IOException {
        super(new FileDisk(folder));
        this.forces = forces;
    }

    @Override
    public File create(String name) throws IOException {
        return new ForwardingFile(super.create(name)) {
            @Override
            public void force() throws IOException {
                forces.acquireUninterruptibly();
                forces.release();
                super.force();
            }
        };
    }
}
