/** Benchmarks against other systems, in one run: {@code mvn -q -Pbench verify}. Not part of the tests. */
package io.plantline.bench;
