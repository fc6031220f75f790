/**
 * AWS Secrets Manager.
 */
@NullMarked
package io.plantline.plugin.secret.aws;

import org.jspecify.annotations.NullMarked;
