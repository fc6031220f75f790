/**
 * JSON text to immutable records, once, at the edge. All problems at once, each with its JSON pointer, what is
 * allowed and, where one is near, a suggestion.
 */
@NullMarked
package io.plantline.config;

import org.jspecify.annotations.NullMarked;
