/** The packaged program on real parts: what a user runs, seen from outside. */
package io.plantline.flow;
