/**
 * The words everybody speaks: message batches, topic filters, plans, failures. Immutable, without I/O.
 */
@NullMarked
package io.plantline.model;

import org.jspecify.annotations.NullMarked;
