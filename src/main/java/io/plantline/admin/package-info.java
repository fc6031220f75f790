/**
 * What a running program is asked: commands, on the loopback interface, for whoever can read the token in its data directory;
 * probes and metrics, which change nothing, on a port for the cluster.
 */
@NullMarked
package io.plantline.admin;

import org.jspecify.annotations.NullMarked;
