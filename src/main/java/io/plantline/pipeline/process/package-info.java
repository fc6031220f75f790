/**
 * Room 3: batch in, batch out.
 */
@NullMarked
package io.plantline.pipeline.process;

import org.jspecify.annotations.NullMarked;
