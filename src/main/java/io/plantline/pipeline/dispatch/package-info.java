/**
 * Room 1: broker session to routes to batches to outbox; acknowledgements go back in order.
 */
@NullMarked
package io.plantline.pipeline.dispatch;

import org.jspecify.annotations.NullMarked;
