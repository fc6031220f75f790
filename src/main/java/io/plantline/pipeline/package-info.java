/**
 * The flow. Its rooms meet only here and on the event bus, and their listing is its order: {@code dispatch} fills
 * batches from a broker session, {@code outbox} keeps them until they are delivered, {@code process} changes them
 * on the way, {@code publish} delivers them.
 */
@NullMarked
package io.plantline.pipeline;

import org.jspecify.annotations.NullMarked;
