/**
 * Newline-delimited JSON.
 */
@NullMarked
package io.plantline.plugin.format.json;

import org.jspecify.annotations.NullMarked;
