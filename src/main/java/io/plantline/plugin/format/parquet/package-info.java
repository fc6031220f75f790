/**
 * Apache Parquet, written without a Hadoop class at run time.
 */
@NullMarked
package io.plantline.plugin.format.parquet;

import org.jspecify.annotations.NullMarked;
