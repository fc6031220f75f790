/**
 * Mounted files, as a Kubernetes basic-auth secret lays them out.
 */
@NullMarked
package io.plantline.plugin.secret.file;

import org.jspecify.annotations.NullMarked;
