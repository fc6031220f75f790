/** Commands to a running program: on the loopback interface, for whoever can read the token in its data directory. */
@NullMarked
package io.plantline.admin;

import org.jspecify.annotations.NullMarked;
