/**
 * Environment variables.
 */
@NullMarked
package io.plantline.plugin.secret.environment;

import org.jspecify.annotations.NullMarked;
