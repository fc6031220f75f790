/**
 * Puts the house together: plug-in catalog, blueprint, start the last room first, stop the first room first; and from one
 * blueprint to the next in steps that can be taken back.
 */
@NullMarked
package io.plantline.runtime;

import org.jspecify.annotations.NullMarked;
