/**
 * The log on disk: append-only segments, group commit, recovery. Files and bytes only; it knows no event loop and no
 * target.
 *
 * <pre>
 *  submit ──▶ {@link io.plantline.pipeline.outbox.log.LogWriter} ──▶ segment files ──▶ {@link io.plantline.pipeline.outbox.log.LogReader}
 *               one write and one force for all that waits            {@link io.plantline.pipeline.outbox.log.Recovery} at the next start
 * </pre>
 */
@NullMarked
package io.plantline.pipeline.outbox.log;

import org.jspecify.annotations.NullMarked;
