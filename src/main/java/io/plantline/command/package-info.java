/** The command line: {@code run}, {@code validate}, {@code schema}, {@code version}. */
@NullMarked
package io.plantline.command;

import org.jspecify.annotations.NullMarked;
