/**
 * Room 4: one plan at a time into a target.
 */
@NullMarked
package io.plantline.pipeline.publish;

import org.jspecify.annotations.NullMarked;
