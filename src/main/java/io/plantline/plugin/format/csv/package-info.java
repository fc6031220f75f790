/**
 * Comma-separated values, RFC 4180.
 */
@NullMarked
package io.plantline.plugin.format.csv;

import org.jspecify.annotations.NullMarked;
