/**
 * Real brokers, real stores, and named fakes for what a real one will not do on demand. Generators and verifiers share
 * no code with the product: {@link io.plantline.testkit.WireClient} has its own reading and writing of MQTT.
 */
package io.plantline.testkit;
