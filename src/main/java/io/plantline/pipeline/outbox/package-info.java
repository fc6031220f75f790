/**
 * Room 2: what is accepted waits here, per target, until it is delivered. The relay slices it into plans and sees
 * each plan through.
 */
@NullMarked
package io.plantline.pipeline.outbox;

import org.jspecify.annotations.NullMarked;
