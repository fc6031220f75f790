/**
 * Inference, or any other step, served over HTTP.
 */
@NullMarked
package io.plantline.plugin.processor.remote;

import org.jspecify.annotations.NullMarked;
