/** Records to Apache Kafka: in batches, in order per topic, once with transactions. */
@org.jspecify.annotations.NullMarked
package io.plantline.plugin.target.kafka;
