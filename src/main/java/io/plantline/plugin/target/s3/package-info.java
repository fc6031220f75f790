/**
 * Objects in Amazon S3 and every store that speaks its protocol.
 */
@NullMarked
package io.plantline.plugin.target.s3;

import org.jspecify.annotations.NullMarked;
