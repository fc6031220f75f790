/** For targets that write objects or files: how a plan is split into objects, and what they are called. */
@NullMarked
package io.plantline.spi.object;

import org.jspecify.annotations.NullMarked;
