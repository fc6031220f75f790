/**
 * Plantline: MQTT in, many targets out, nothing lost.
 *
 * <pre>
 *  config     one JSON document --> immutable records --.
 *                                                        v
 *  runtime                           builds and starts the house
 *                                                        |
 *  mqtt       broker --> session --> dispatch --> outbox --> process --> publish --> plugin/target
 *                          ^                        |
 *                          '--- acknowledgements ---'      once every target has it, or it is durable
 * </pre>
 *
 * <p>Imports point one way: {@code model < spi < config < observe < mqtt | pipeline < runtime < Plantline}; plug-ins
 * import only {@code spi}, {@code model} and their own client library. A test keeps it so.
 */
@NullMarked
package io.plantline;

import org.jspecify.annotations.NullMarked;
