/**
 * The payloads as they came.
 */
@NullMarked
package io.plantline.plugin.format.raw;

import org.jspecify.annotations.NullMarked;
