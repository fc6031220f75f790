/**
 * Puts the house together: plug-in catalog, blueprint, start the last room first, stop the first room first.
 */
@NullMarked
package io.plantline.runtime;

import org.jspecify.annotations.NullMarked;
