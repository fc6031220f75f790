package io.plantline.plugin.target.file;

import io.plantline.spi.object.ObjectLayout;
import java.nio.file.Path;

/** Where files go and what they are called. */
record FileTargetConfig(Path directory, ObjectLayout layout) {}
