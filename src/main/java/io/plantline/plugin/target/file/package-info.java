/**
 * Files in a folder, with the formats and the key layout of the {@code s3} target.
 */
@NullMarked
package io.plantline.plugin.target.file;

import org.jspecify.annotations.NullMarked;
