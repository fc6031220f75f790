/**
 * The only door for plug-ins. A {@link io.plantline.spi.Target} delivers, a {@link io.plantline.spi.Processor}
 * changes, a {@link io.plantline.spi.PayloadFormat} encodes, a {@link io.plantline.spi.SecretProvider} resolves
 * credentials; each has a factory that {@link java.util.ServiceLoader} finds. Retry, batching, order and dead
 * letters live in the engine, so that a plug-in can be dull.
 */
@NullMarked
package io.plantline.spi;

import org.jspecify.annotations.NullMarked;
